import { Type, type Static } from 'typebox'
import { closed } from './schema.ts'

/** What `/healthz` and `/readyz` answer when all is well. */
export const ServiceStatus = closed({ status: Type.String() })
export type ServiceStatus = Static<typeof ServiceStatus>
