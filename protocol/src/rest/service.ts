import { ServiceStatus } from '../service.ts'
import { get, type Endpoints } from './endpoint.ts'

/** Whether the server lives and can serve. */
export const serviceEndpoints = {
  health: get('/healthz', 'The process lives', { access: 'public', answers: { 200: ServiceStatus } }),
  readiness: get('/readyz', 'The server can serve', { access: 'public', answers: { 200: ServiceStatus } }),
} as const satisfies Endpoints
