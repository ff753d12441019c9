import { OwnPasswordInput } from '../auth.ts'
import { Operator, OperatorInput, OperatorPage, OperatorQuery, OperatorReplacement } from '../operators.ts'
import { Nothing, closed } from '../schema.ts'
import { byId, versioned, type Endpoints } from './endpoint.ts'

/** The staff and their roles. */
export const operatorEndpoints = {
  list: {
    method: 'GET',
    path: '/api/operateurs/',
    summary: 'Operators',
    access: 'admin',
    query: OperatorQuery,
    page: OperatorPage,
  },
  create: {
    method: 'POST',
    path: '/api/operateurs/',
    summary: 'Add an operator',
    access: 'admin',
    sendsVersion: true,
    errors: ['duplicate', 'weak-password'],
    body: OperatorInput,
    answers: { 201: Operator },
  },
  changeOwnPassword: {
    method: 'POST',
    path: '/api/operateurs/moi/mot_de_passe/',
    summary: 'Change one’s own password; every other sign-in of the same operator ends',
    access: 'viewer',
    errors: ['wrong-password', 'weak-password', 'login-throttled'],
    body: OwnPasswordInput,
    answers: { 200: closed({}) },
  },
  read: {
    method: 'GET',
    path: '/api/operateurs/{id}/',
    summary: 'One operator',
    access: 'admin',
    sendsVersion: true,
    params: byId,
    answers: { 200: Operator },
  },
  replace: {
    method: 'PUT',
    path: '/api/operateurs/{id}/',
    summary: 'Change role, password, or whether they may sign in',
    access: 'admin',
    ...versioned,
    errors: ['last-admin', 'weak-password'],
    params: byId,
    body: OperatorReplacement,
    answers: { 200: Operator },
  },
  disable: {
    method: 'DELETE',
    path: '/api/operateurs/{id}/',
    summary: 'Disable an operator for good',
    access: 'admin',
    takesVersion: true,
    errors: ['last-admin'],
    params: byId,
    answers: { 204: Nothing },
  },
} as const satisfies Endpoints
