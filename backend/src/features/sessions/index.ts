import type { Logger } from 'pino'
import type { Store } from '../../db/database.ts'
import type { UserRow } from '../../db/rows.ts'
import type { Feature, Lookup } from '../feature.ts'
import type { RoomStore } from '../room/index.ts'
import type { Throttles } from '../throttles/index.ts'
import { createCodeRepository } from './code-repository.ts'
import { createAccessCodes, createCodeValidation } from './codes.ts'
import { createSessionCredits } from './credits.ts'
import { createDeadlines } from './deadlines.ts'
import { sessionEndpoints } from './endpoints.ts'
import { createSessionGrants } from './grants.ts'
import { createPastSessionRepository } from './past-repository.ts'
import { createSessionService, type SessionPorts as ServicePorts } from './service.ts'

export type { CodeValidation } from './codes.ts'
export type { SessionCredits } from './credits.ts'
export type { SessionGrants } from './grants.ts'
export { createSessionRepository } from './repository.ts'
export type { PastSessions } from './past-repository.ts'
export type { SessionService } from './service.ts'
export { toSession, toSessionTime } from './view.ts'

export interface SessionPorts extends Omit<ServicePorts, 'database'> {
  database: Store
  users: Lookup<UserRow>
  room: ServicePorts['room'] & Pick<RoomStore, 'running'>
  throttles: Throttles
  /** The key for the hashes of access codes. */
  codeKey: Buffer
  log: Logger
}

/** Sessions of visitors, from the access code to the end. */
export function createSessions(ports: SessionPorts) {
  const { database, codeKey, clock } = ports
  const inside = {
    ...ports,
    openings: createCodeRepository(database),
    codes: createAccessCodes(codeKey),
  }
  const sessions = createSessionService(inside)
  const grants = createSessionGrants({ ...inside, sessions })
  const credits = createSessionCredits({ ...inside, sessions })
  const codes = createCodeValidation(inside)
  return {
    service: { sessions, grants, credits, codes, past: createPastSessionRepository(database) },
    endpoints: [sessionEndpoints({ sessions, grants, credits, codes, clock })],
    ...createDeadlines({ ...ports, sessions }),
  } satisfies Feature
}
