import {
  Account,
  AccountInput,
  AccountPage,
  AccountQuery,
  AccountReplacement,
  AccountWithSecret,
} from '../accounts.ts'
import { Nothing, closed } from '../schema.ts'
import { byName, versioned, del, get, post, put, type Endpoints } from './endpoint.ts'

/** Logins of machines, and their secrets. */
export const accountEndpoints = {
  list: get('/api/comptes/', 'Logins of machines', {
    access: 'admin',
    query: AccountQuery,
    page: AccountPage,
  }),
  create: post('/api/comptes/', 'Add an account; its secret is shown here once', {
    access: 'admin',
    sendsVersion: true,
    errors: ['duplicate'],
    body: AccountInput,
    answers: { 201: AccountWithSecret },
  }),
  read: get('/api/comptes/{id}/', 'One account', {
    access: 'admin',
    sendsVersion: true,
    params: byName,
    answers: { 200: Account },
  }),
  replace: put('/api/comptes/{id}/', 'Change label, role, or whether it may connect', {
    access: 'admin',
    ...versioned,
    params: byName,
    body: AccountReplacement,
    answers: { 200: Account },
  }),
  remove: del('/api/comptes/{id}/', 'Remove an account; it is cut off', {
    access: 'admin',
    takesVersion: true,
    params: byName,
    answers: { 204: Nothing },
  }),
  renewSecret: post(
    '/api/comptes/{id}/renouveler/',
    'Draw another secret, shown here once; the old one opens nothing any more',
    { access: 'admin', ...versioned, params: byName, body: closed({}), answers: { 200: AccountWithSecret } },
  ),
} as const satisfies Endpoints
