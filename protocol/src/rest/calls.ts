import { StaffCall, StaffCallQuery } from '../calls.ts'
import { byId, noFields, operators, viewers } from './define.ts'
import type { Endpoints } from './endpoint.ts'

const change = { params: byId, body: noFields, answers: { 200: StaffCall } } as const

/** Open calls for help. */
export const callEndpoints = {
  list: viewers.list('/api/postes/appels/', 'Open calls for help, the longest wait first', {
    query: StaffCallQuery,
    item: StaffCall,
  }),
  take: operators.post('/api/postes/appels/{id}/prendre/', 'Take care of a call', {
    ...change,
    errors: ['call-taken'],
  }),
  close: operators.post('/api/postes/appels/{id}/clore/', 'Close a call', change),
} as const satisfies Endpoints
