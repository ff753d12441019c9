import { randomBytes } from 'node:crypto'
import {
  MINUTE_MS,
  SECOND_MS,
  instantOf,
  formatAccessCode,
  normaliseAccessCode,
  type Actor,
  type ValidatedCode,
} from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { drawAccessCode } from '../../domain/access-code.ts'
import type { ThrottleSubject } from '../../domain/throttle.ts'
import { failure, success, type Result } from '../../errors.ts'
import { keyedHash } from '../../crypto/secrets.ts'
import type { Journal } from '../logs/index.ts'
import { closingThatEnds, type Settings } from '../settings/index.ts'
import type { Machines } from '../room/index.ts'
import type { Throttles } from '../throttles/index.ts'
import type { SessionRepository } from './repository.ts'

/** A station may start what it validated this recently. */
export const VALIDATION_MS = 2 * MINUTE_MS

export interface AccessCodes {
  hashOf(typedCode: string): string
  /** Draws a code that no live session has. @returns it as shown, and its keyed hash */
  draw(isTaken: (codeHash: string) => Promise<boolean>): Promise<{ accessCode: string; codeHash: string }>
}

/** @param key secret of this installation, kept outside the database */
export function createAccessCodes(key: Buffer): AccessCodes {
  const hashOf = (typedCode: string) => keyedHash(key, normaliseAccessCode(typedCode))
  return {
    hashOf,
    async draw(isTaken) {
      for (;;) {
        const code = drawAccessCode(() => randomBytes(1).readUInt8())
        const codeHash = hashOf(code)
        if (!(await isTaken(codeHash))) return { accessCode: formatAccessCode(code), codeHash }
      }
    },
  }
}

export interface CodeAttempt {
  code: string
  /** Station at which it is typed. */
  stationId?: string
  ip: string
  actor: Actor
}

export type CodeValidation = ReturnType<typeof createCodeValidation>

/** Judges typed codes, and slows down whoever guesses. */
export function createCodeValidation(ports: {
  database: Database
  repository: SessionRepository
  codes: AccessCodes
  throttles: Throttles
  machines: Pick<Machines, 'bootIdOf' | 'isInConflict'>
  settings: Settings
  journal: Journal
  clock: Clock
}) {
  const { database, repository, codes, throttles, machines, settings, journal, clock } = ports

  return {
    /**
     * What a code opens. Unknown, expired and used codes are told apart by nothing; a right code of another
     * station names that station and is not counted. Changes counters only.
     */
    async validate({ code, stationId, ip, actor }: CodeAttempt): Promise<Result<ValidatedCode>> {
      const counters: ThrottleSubject[] = [{ kind: 'address-code', ip }]
      if (stationId !== undefined) counters.push({ kind: 'station-code', stationId })
      const refusal = async () => {
        const retryAfterSeconds = await throttles.waitSeconds(counters)
        return retryAfterSeconds > 0 ? failure('code-throttled', { retryAfterSeconds }) : undefined
      }
      if (stationId !== undefined && machines.isInConflict(stationId)) return failure('station-conflict')
      // Whoever guesses on is refused by a look alone, and holds up nobody who writes.
      const early = await refusal()
      if (early) return early
      return database.write(async () => {
        const late = await refusal()
        if (late) return late
        const session = await repository.findByCode(codes.hashOf(code), clock.nowMs())
        if (!session) {
          await throttles.countFailure(counters)
          await journal.append({ action: 'code.rejected', level: 'warning', actor, stationId, ip })
          return failure('code-refused')
        }
        if (stationId !== undefined && session.stationId !== undefined && session.stationId !== stationId) {
          return wrongStation(repository, session.stationId)
        }
        if (stationId !== undefined) {
          const bootId = machines.bootIdOf(stationId)
          await repository.markValidated(session.id, { stationId, bootId, atMs: clock.nowMs() })
        }
        const user = session.userId === undefined ? undefined : await repository.findUser(session.userId)
        const displayName = user?.firstName ?? ''
        const { id: sessionId, grantedSeconds, mayOutliveClosing } = session
        const endsAtMs = clock.nowMs() + grantedSeconds * SECOND_MS
        const closesAtMs = mayOutliveClosing ? undefined : closingThatEnds(settings, endsAtMs, clock.nowMs())
        const closesAt = closesAtMs === undefined ? {} : { closesAt: instantOf(closesAtMs) }
        return success({ sessionId, displayName, grantedSeconds, ...closesAt })
      })
    },
  }
}

/** The refusal that names the station a session is meant for. */
export async function wrongStation(repository: SessionRepository, stationId: string): Promise<Result<never>> {
  const label = (await repository.findStation(stationId))?.label ?? stationId
  return failure('wrong-station', {
    detail: {
      fr: `Ce code est prévu pour le poste «\u202f${label}\u202f».`,
      en: `This code is meant for station “${label}”.`,
    },
  })
}
