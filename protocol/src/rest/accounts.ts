import { Account, AccountInput, AccountQuery, AccountReplacement, AccountWithSecret } from '../accounts.ts'
import { admins, byName, noFields } from './define.ts'
import type { Endpoints } from './endpoint.ts'

/** Logins of machines, and their secrets. */
export const accountEndpoints = {
  list: admins.list('/api/comptes/', 'Logins of machines', { query: AccountQuery, item: Account }),
  create: admins.create('/api/comptes/', 'Add an account; its secret is shown here once', {
    errors: ['duplicate'],
    body: AccountInput,
    answer: AccountWithSecret,
  }),
  read: admins.read('/api/comptes/{id}/', 'One account', { params: byName, answer: Account }),
  replace: admins.replace('/api/comptes/{id}/', 'Change label, role, or whether it may connect', {
    params: byName,
    body: AccountReplacement,
    answer: Account,
  }),
  remove: admins.remove('/api/comptes/{id}/', 'Remove an account; it is cut off', { params: byName }),
  renewSecret: admins.act(
    '/api/comptes/{id}/renouveler/',
    'Draw another secret, shown here once; the old one opens nothing any more',
    { params: byName, body: noFields, answer: AccountWithSecret },
  ),
} as const satisfies Endpoints
