import { OwnPasswordInput } from '../auth.ts'
import { Operator, OperatorInput, OperatorPage, OperatorQuery, OperatorReplacement } from '../operators.ts'
import { Nothing, closed } from '../schema.ts'
import { byId, versioned, del, get, post, put, type Endpoints } from './endpoint.ts'

/** The staff and their roles. */
export const operatorEndpoints = {
  list: get('/api/operateurs/', 'Operators', { access: 'admin', query: OperatorQuery, page: OperatorPage }),
  create: post('/api/operateurs/', 'Add an operator', {
    access: 'admin',
    sendsVersion: true,
    errors: ['duplicate', 'weak-password'],
    body: OperatorInput,
    answers: { 201: Operator },
  }),
  changeOwnPassword: post(
    '/api/operateurs/moi/mot_de_passe/',
    'Change one’s own password; every other sign-in of the same operator ends',
    {
      access: 'viewer',
      errors: ['wrong-password', 'weak-password', 'login-throttled'],
      body: OwnPasswordInput,
      answers: { 200: closed({}) },
    },
  ),
  read: get('/api/operateurs/{id}/', 'One operator', {
    access: 'admin',
    sendsVersion: true,
    params: byId,
    answers: { 200: Operator },
  }),
  replace: put('/api/operateurs/{id}/', 'Change role, password, or whether they may sign in', {
    access: 'admin',
    ...versioned,
    errors: ['last-admin', 'weak-password'],
    params: byId,
    body: OperatorReplacement,
    answers: { 200: Operator },
  }),
  disable: del('/api/operateurs/{id}/', 'Disable an operator for good', {
    access: 'admin',
    takesVersion: true,
    errors: ['last-admin'],
    params: byId,
    answers: { 204: Nothing },
  }),
} as const satisfies Endpoints
