import { StaffCall, StaffCallPage, StaffCallQuery } from '../calls.ts'
import { closed } from '../schema.ts'
import { byId, get, post, type Endpoints } from './endpoint.ts'

/** Open calls for help. */
export const callEndpoints = {
  list: get('/api/postes/appels/', 'Open calls for help, the longest wait first', {
    access: 'viewer',
    query: StaffCallQuery,
    page: StaffCallPage,
  }),
  take: post('/api/postes/appels/{id}/prendre/', 'Take care of a call', {
    access: 'operator',
    errors: ['call-taken'],
    params: byId,
    body: closed({}),
    answers: { 200: StaffCall },
  }),
  close: post('/api/postes/appels/{id}/clore/', 'Close a call', {
    access: 'operator',
    params: byId,
    body: closed({}),
    answers: { 200: StaffCall },
  }),
} as const satisfies Endpoints
