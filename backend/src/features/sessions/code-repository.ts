import type { Tables } from '../../db/database.ts'
import type { Table } from '../../db/models.ts'
import { forMany, parametersOf } from '../../db/row-statements.ts'

/** A code that was typed at an instant. */
export interface TypedCode {
  codeHash: string
  /** Keys of the two counters that may block it, or twice the same. */
  counters: readonly [string, string]
  atMs: number
}

/** A session that a code opens, with its visitor's first name. */
export interface OpenedSession {
  id: string
  stationId: string | null
  grantedSeconds: number
  mayOutliveClosing: boolean
  firstName: string | null
}

interface FoundRow extends Omit<OpenedSession, 'id'> {
  position: number
  id: string | null
  blockedUntilMs: number | null
}

/** Where a code was validated: the station where it was typed, the start of its agent, and when. */
export interface Validation {
  sessionId: string
  stationId: string
  bootId: string | undefined
  atMs: number
}

export type CodeRepository = ReturnType<typeof createCodeRepository>

/** What typed codes open: many are judged by one statement, for they are typed often. */
export function createCodeRepository(tables: Tables) {
  const find = forMany<TypedCode, FoundRow>(
    tables,
    (count) => `SELECT typed.column1 AS "position", sessions.id AS "id", station_id AS "stationId",
        granted_seconds AS "grantedSeconds", may_outlive_closing AS "mayOutliveClosing",
        (SELECT first_name FROM users WHERE users.id = sessions.user_id) AS "firstName",
        (SELECT MAX(blocked_until_ms) FROM throttles
          WHERE key IN (typed.column3, typed.column4)) AS "blockedUntilMs"
      FROM (VALUES ${parametersOf(count, 5, ['BIGINT', 'TEXT', 'TEXT', 'TEXT', 'BIGINT'])}) AS typed
      LEFT JOIN sessions ON state = 'pending' AND code_hash = typed.column2
        AND code_expires_at_ms > typed.column5`,
    (codes) => codes.flatMap(({ codeHash, counters, atMs }, index) => [index, codeHash, ...counters, atMs]),
    tables.models.sessions as unknown as Table<FoundRow>,
  )
  const validate = forMany<Validation, Validation>(
    tables,
    (count) => `UPDATE sessions SET validated_station_id = typed.column2, validated_boot_id = typed.column3,
        validated_at_ms = typed.column4
      FROM (VALUES ${parametersOf(count, 4, ['TEXT', 'TEXT', 'TEXT', 'BIGINT'])}) AS typed
      WHERE sessions.id = typed.column1`,
    (made) => made.flatMap(({ sessionId, stationId, bootId, atMs }) => [sessionId, stationId, bootId, atMs]),
  )

  return {
    /** For each of at most 32 codes the session that it opens now, and until when its counters block it. */
    async find(codes: readonly TypedCode[]) {
      const found = await find.all(codes)
      return found
        .sort((a, b) => a.position - b.position)
        .map(({ id, blockedUntilMs, ...session }) => ({
          session: id === null ? undefined : ({ ...session, id } satisfies OpenedSession),
          blockedUntilMs: blockedUntilMs ?? 0,
        }))
    },
    /** Notes where sessions' codes were validated; each session at most once. */
    validate: validate.run,
  }
}
