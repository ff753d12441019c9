import { StaffCall, StaffCallPage, StaffCallQuery } from '../calls.ts'
import { closed } from '../schema.ts'
import { byId, type Endpoints } from './endpoint.ts'

/** Calls for help that are open at the stations. */
export const callEndpoints = {
  list: {
    method: 'GET',
    path: '/api/postes/appels/',
    summary: 'Open calls for help, the longest wait first',
    access: 'viewer',
    query: StaffCallQuery,
    page: StaffCallPage,
  },
  take: {
    method: 'POST',
    path: '/api/postes/appels/{id}/prendre/',
    summary: 'Take care of a call',
    access: 'operator',
    errors: ['call-taken'],
    params: byId,
    body: closed({}),
    answers: { 200: StaffCall },
  },
  close: {
    method: 'POST',
    path: '/api/postes/appels/{id}/clore/',
    summary: 'Close a call',
    access: 'operator',
    params: byId,
    body: closed({}),
    answers: { 200: StaffCall },
  },
} as const satisfies Endpoints
