import { ServiceStatus } from '../service.ts'
import { everybody } from './define.ts'
import type { Endpoints } from './endpoint.ts'

/** Whether the server lives and can serve. */
export const serviceEndpoints = {
  health: everybody.get('/healthz', 'The process lives', { answers: { 200: ServiceStatus } }),
  readiness: everybody.get('/readyz', 'The server can serve', { answers: { 200: ServiceStatus } }),
} as const satisfies Endpoints
