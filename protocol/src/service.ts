import { Type, type Static } from 'typebox'
import { closed, oneOf } from './schema.ts'

/** What `/healthz` and `/readyz` answer when all is well. */
export const ServiceStatus = closed({
  status: Type.String(),
  /** Only with several servers per site. When Redis is unreachable, each goes on with the database alone. */
  redis: Type.Optional(oneOf(['connected', 'unreachable'])),
})
export type ServiceStatus = Static<typeof ServiceStatus>
