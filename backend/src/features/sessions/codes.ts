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
import { createBatchedWrites } from '../../db/batched-writes.ts'
import type { Database } from '../../db/database.ts'
import type { StationRow } from '../../db/rows.ts'
import { drawAccessCode } from '../../domain/access-code.ts'
import { throttleKeyOf, waitSecondsAt, type ThrottleSubject } from '../../domain/throttle.ts'
import { failure, success, type Result } from '../../errors.ts'
import { keyedHash } from '../../crypto/secrets.ts'
import type { Lookup } from '../feature.ts'
import type { Journal } from '../logs/index.ts'
import { closingThatEnds, type Settings } from '../settings/index.ts'
import type { Machines } from '../room/index.ts'
import type { Throttles } from '../throttles/index.ts'
import type { CodeRepository, OpenedSession, Validation } from './code-repository.ts'

/** A station may start a session that it validated within this time. */
export const VALIDATION_MS = 2 * MINUTE_MS

/** As many codes are judged in one write. */
const MOST_AT_ONCE = 32

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

  const throttled = (retryAfterSeconds: number) => failure('code-throttled', { retryAfterSeconds })

  /** Call inside a write. */
  async function refuse({ attempt, counters }: Judged): Promise<Result<never>> {
    const { stationId, ip, actor } = attempt
    await throttles.countFailure(counters)
    await journal.append({ action: 'code.rejected', level: 'warning', actor, stationId, ip })
    return failure('code-refused')
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

  /** Judges codes in the order in which they came, each after the failures before it were counted. */
  async function judgeAll(all: readonly Judged[]): Promise<void> {
    const nowMs = clock.nowMs()
    const found = await openings.find(
      all.map(({ codeHash, counters }) => ({ codeHash, counters: keysOf(counters), atMs: nowMs })),
    )
    const validations = new Map<string, Validation>()
    const failed = new Set<string>()
    for (const [index, judged] of all.entries()) {
      const { attempt, counters } = judged
      const { session, blockedUntilMs = 0 } = found[index] ?? {}
      const isCounted = keysOf(counters).some((key) => failed.has(key))
      const waitSeconds = isCounted
        ? await throttles.waitSeconds(counters)
        : waitSecondsAt({ blockedUntilMs }, nowMs)
      const { stationId } = attempt
      if (waitSeconds > 0) judged.outcome = throttled(waitSeconds)
      else if (!session) {
        judged.outcome = await refuse(judged)
        for (const key of keysOf(counters)) failed.add(key)
      } else if (stationId !== undefined && (session.stationId ?? stationId) !== stationId)
        judged.outcome = await wrongStation(stations, session.stationId ?? '')
      else {
        judged.outcome = success(openedBy(session))
        const bootId = stationId && machines.bootIdOf(stationId)
        if (stationId !== undefined)
          validations.set(session.id, { sessionId: session.id, stationId, bootId, atMs: nowMs })
      }
    }
    if (validations.size > 0) await openings.validate([...validations.values()])
  }

  const waiting = createBatchedWrites(database, judgeAll, { atMost: MOST_AT_ONCE })

  return {
    /**
     * The session of a code. Unknown, expired and used codes get the same refusal. A right code of another station gets
     * the name of that station and is not counted. Changes only counters.
     */
    async validate(attempt: CodeAttempt): Promise<Result<ValidatedCode>> {
      const { code, stationId } = attempt
      if (stationId !== undefined && machines.isInConflict(stationId)) return failure('station-conflict')
      const judged: Judged = { attempt, codeHash: codes.hashOf(code), counters: countersOf(attempt) }
      await waiting.add(judged)
      return judged.outcome ?? failure('code-refused')
    },
  }
}

/** A typed code that waits for its judgement. */
interface Judged {
  attempt: CodeAttempt
  codeHash: string
  counters: ThrottleSubject[]
  outcome?: Result<ValidatedCode>
}

function keysOf(counters: ThrottleSubject[]): readonly [string, string] {
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
