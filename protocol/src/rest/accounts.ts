import {
  Account,
  AccountInput,
  AccountPage,
  AccountQuery,
  AccountReplacement,
  AccountWithSecret,
} from '../accounts.ts'
import { Nothing, closed } from '../schema.ts'
import { byName, versioned, type Endpoints } from './endpoint.ts'

/** Logins of machines, and their secrets. */
export const accountEndpoints = {
  list: {
    method: 'GET',
    path: '/api/comptes/',
    summary: 'Logins of machines',
    access: 'admin',
    query: AccountQuery,
    page: AccountPage,
  },
  create: {
    method: 'POST',
    path: '/api/comptes/',
    summary: 'Add an account; its secret is shown here once',
    access: 'admin',
    sendsVersion: true,
    errors: ['duplicate'],
    body: AccountInput,
    answers: { 201: AccountWithSecret },
  },
  read: {
    method: 'GET',
    path: '/api/comptes/{id}/',
    summary: 'One account',
    access: 'admin',
    sendsVersion: true,
    params: byName,
    answers: { 200: Account },
  },
  replace: {
    method: 'PUT',
    path: '/api/comptes/{id}/',
    summary: 'Change label, role, or whether it may connect',
    access: 'admin',
    ...versioned,
    params: byName,
    body: AccountReplacement,
    answers: { 200: Account },
  },
  remove: {
    method: 'DELETE',
    path: '/api/comptes/{id}/',
    summary: 'Remove an account; it is cut off',
    access: 'admin',
    takesVersion: true,
    params: byName,
    answers: { 204: Nothing },
  },
  renewSecret: {
    method: 'POST',
    path: '/api/comptes/{id}/renouveler/',
    summary: 'Draw another secret, shown here once; the old one opens nothing any more',
    access: 'admin',
    ...versioned,
    params: byName,
    body: closed({}),
    answers: { 200: AccountWithSecret },
  },
} as const satisfies Endpoints
