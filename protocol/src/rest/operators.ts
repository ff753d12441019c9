import { OwnPasswordInput } from '../auth.ts'
import { Operator, OperatorInput, OperatorQuery, OperatorReplacement } from '../operators.ts'
import { admins, byId, noFields, viewers } from './define.ts'
import type { Endpoints } from './endpoint.ts'

/** The staff and their roles. */
export const operatorEndpoints = {
  list: admins.list('/api/operateurs/', 'Operators', { query: OperatorQuery, item: Operator }),
  create: admins.create('/api/operateurs/', 'Add an operator', {
    errors: ['duplicate', 'weak-password'],
    body: OperatorInput,
    answer: Operator,
  }),
  changeOwnPassword: viewers.post(
    '/api/operateurs/moi/mot_de_passe/',
    'Change one’s own password; every other sign-in of the same operator ends',
    {
      errors: ['wrong-password', 'weak-password', 'login-throttled'],
      body: OwnPasswordInput,
      answers: { 200: noFields },
    },
  ),
  read: admins.read('/api/operateurs/{id}/', 'One operator', { params: byId, answer: Operator }),
  replace: admins.replace('/api/operateurs/{id}/', 'Change role, password, or whether they may sign in', {
    errors: ['last-admin', 'weak-password'],
    params: byId,
    body: OperatorReplacement,
    answer: Operator,
  }),
  disable: admins.remove('/api/operateurs/{id}/', 'Disable an operator for good', {
    errors: ['last-admin'],
    params: byId,
  }),
} as const satisfies Endpoints
