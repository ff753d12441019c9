import { ServiceStatus } from '../service.ts'
import type { Endpoints } from './endpoint.ts'

/** Whether the server lives and can serve. */
export const serviceEndpoints = {
  health: {
    method: 'GET',
    path: '/healthz',
    summary: 'The process lives',
    access: 'public',
    answers: { 200: ServiceStatus },
  },
  readiness: {
    method: 'GET',
    path: '/readyz',
    summary: 'The server can serve',
    access: 'public',
    answers: { 200: ServiceStatus },
  },
} as const satisfies Endpoints
