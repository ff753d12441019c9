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
import type { StationRow } from '../../db/rows.ts'
import { drawAccessCode } from '../../domain/access-code.ts'
import { throttleKeyOf, type ThrottleSubject } from '../../domain/throttle.ts'
import { failure, success, type Result } from '../../errors.ts'
import { keyedHash } from '../../crypto/secrets.ts'
import type { Lookup } from '../feature.ts'
import type { Journal } from '../logs/index.ts'
import { closingThatEnds, type Settings } from '../settings/index.ts'
import type { Machines } from '../room/index.ts'
import type { Throttles } from '../throttles/index.ts'
import type { CodeRepository, CounterKeys, OpenedSession } from './code-repository.ts'

/** A station may start a session that it validated within this time. */
export const VALIDATION_MS = 2 * MINUTE_MS

export interface AccessCodes {
  hashOf(typedCode: string): string
  /**
   * Generates a code.
   * @returns the code as it is shown, and its keyed hash
   */
  draw(): { accessCode: string; codeHash: string }
}

/** @param key secret of this installation, kept outside the database */
export function createAccessCodes(key: Buffer): AccessCodes {
  const hashOf = (typedCode: string) => keyedHash(key, normaliseAccessCode(typedCode))
  return {
    hashOf,
    draw() {
      const code = drawAccessCode(() => randomBytes(1).readUInt8())
      return { accessCode: formatAccessCode(code), codeHash: hashOf(code) }
    },
  }
}

export interface CodeAttempt {
  code: string
  /** The station where it is typed. */
  stationId?: string
  ip: string
  actor: Actor
}

export type CodeValidation = ReturnType<typeof createCodeValidation>

/** Checks typed codes, and blocks guessing. */
export function createCodeValidation(ports: {
  database: Database
  stations: Lookup<Pick<StationRow, 'label'>>
  openings: CodeRepository
  codes: AccessCodes
  throttles: Throttles
  machines: Pick<Machines, 'bootIdOf' | 'isInConflict'>
  settings: Settings
  journal: Journal
  clock: Clock
}) {
  const { database, stations, openings, codes, throttles, machines, settings, journal, clock } = ports

  const countersOf = ({ ip, stationId }: CodeAttempt): ThrottleSubject[] => {
    const ofAddress: ThrottleSubject = { kind: 'address-code', ip }
    return stationId === undefined ? [ofAddress] : [ofAddress, { kind: 'station-code', stationId }]
  }

  async function throttled(attempt: CodeAttempt) {
    const retryAfterSeconds = await throttles.waitSeconds(countersOf(attempt))
    return retryAfterSeconds > 0 ? failure('code-throttled', { retryAfterSeconds }) : undefined
  }

  /** The code is refused here at this moment. Call it inside a write. */
  async function refuse(attempt: CodeAttempt, codeHash: string): Promise<Result<never>> {
    const { stationId, ip, actor } = attempt
    const late = await throttled(attempt)
    if (late) return late
    const elsewhere = stationId && (await find(attempt, codeHash))
    if (elsewhere) return wrongStation(stations, elsewhere.stationId ?? '')
    await throttles.countFailure(countersOf(attempt))
    await journal.append({ action: 'code.rejected', level: 'warning', actor, stationId, ip })
    return failure('code-refused')
  }

  const find = (attempt: CodeAttempt, codeHash: string) =>
    openings.findOpenedBy(codeHash, clock.nowMs(), keysOf(countersOf(attempt)))

  /** Finds the session of a code, and records the station where it was typed. Call it inside a write. */
  async function open(attempt: CodeAttempt, codeHash: string): Promise<OpenedSession | undefined> {
    const { stationId } = attempt
    if (stationId === undefined) return find(attempt, codeHash)
    const by = { stationId, bootId: machines.bootIdOf(stationId), atMs: clock.nowMs() }
    return openings.validate(codeHash, keysOf(countersOf(attempt)), by)
  }

  function openedBy({
    id: sessionId,
    firstName,
    grantedSeconds,
    mayOutliveClosing,
  }: OpenedSession): ValidatedCode {
    const endsAtMs = clock.nowMs() + grantedSeconds * SECOND_MS
    const closesAtMs = mayOutliveClosing ? undefined : closingThatEnds(settings, endsAtMs, clock.nowMs())
    const closesAt = closesAtMs === undefined ? {} : { closesAt: instantOf(closesAtMs) }
    return { sessionId, displayName: firstName ?? '', grantedSeconds, ...closesAt }
  }

  return {
    /**
     * The session of a code. Unknown, expired and used codes get the same refusal. A right code of another station gets
     * the name of that station and is not counted. Changes only counters.
     */
    async validate(attempt: CodeAttempt): Promise<Result<ValidatedCode>> {
      const { code, stationId } = attempt
      if (stationId !== undefined && machines.isInConflict(stationId)) return failure('station-conflict')
      // While a block lasts, further attempts are refused by a read alone and do not delay writes.
      const early = await throttled(attempt)
      if (early) return early
      const codeHash = codes.hashOf(code)
      // In a write even if nothing is written: each attempt is checked after the earlier ones were counted.
      return database.write(async () => {
        const session = await open(attempt, codeHash)
        return session ? success(openedBy(session)) : refuse(attempt, codeHash)
      })
    },
  }
}

function keysOf(counters: ThrottleSubject[]): CounterKeys {
  const [first = '', second = first] = counters.map(throttleKeyOf)
  return [first, second]
}

/** The refusal with the name of the session's station. */
export async function wrongStation(
  stations: Lookup<Pick<StationRow, 'label'>>,
  stationId: string,
): Promise<Result<never>> {
  const label = (await stations.find(stationId))?.label ?? stationId
  return failure('wrong-station', {
    detail: {
      fr: `Ce code est prévu pour le poste «\u202f${label}\u202f».`,
      en: `This code is meant for station “${label}”.`,
    },
  })
}
