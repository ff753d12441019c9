import { Type, type Static } from 'typebox'
import { closed, oneOf } from './schema.ts'

/** What `/healthz` and `/readyz` answer when all is well. */
export const ServiceStatus = closed({
  status: Type.String(),
  /** Where several servers serve one site: out of reach, each goes on by the database alone. */
  redis: Type.Optional(oneOf(['connected', 'unreachable'])),
})
export type ServiceStatus = Static<typeof ServiceStatus>
