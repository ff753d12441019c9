import type { Tables } from '../../db/database.ts'
import type { Table } from '../../db/models.ts'
import type { SessionRow } from '../../db/rows.ts'

/** The keys of two counters, or twice the same key. */
export type CounterKeys = readonly [string, string]

/** The session of a code, with its visitor's first name. */
export interface OpenedSession extends Pick<
  SessionRow,
  'id' | 'stationId' | 'grantedSeconds' | 'mayOutliveClosing'
> {
  firstName: string | null
}

const OPENED_COLUMNS = `id, station_id AS "stationId", granted_seconds AS "grantedSeconds",
  may_outlive_closing AS "mayOutliveClosing",
  (SELECT first_name FROM users WHERE users.id = sessions.user_id) AS "firstName"`

/** The pending session of a typed code, if no counter blocks. */
const OPENED_BY_CODE = `state = 'pending' AND code_hash = $1 AND code_expires_at_ms > $2
  AND NOT EXISTS (SELECT 1 FROM throttles WHERE key IN ($3, $4) AND blocked_until_ms > $2)`

export type CodeRepository = ReturnType<typeof createCodeRepository>

/** Queries for typed codes. Each is one statement, because codes are typed often. */
export function createCodeRepository({ models: { sessions }, statement }: Tables) {
  const opened = sessions as unknown as Table<OpenedSession>
  const openedByCode = statement(`SELECT ${OPENED_COLUMNS} FROM sessions WHERE ${OPENED_BY_CODE}`, opened)
  const validateByCode = statement(
    `UPDATE sessions SET validated_station_id = $5, validated_boot_id = $6, validated_at_ms = $2
      WHERE ${OPENED_BY_CODE} AND (station_id IS NULL OR station_id = $5)
      RETURNING ${OPENED_COLUMNS}`,
    opened,
  )

  return {
    /** @param blockers keys of the counters that can block this attempt */
    findOpenedBy: (codeHash: string, nowMs: number, blockers: CounterKeys) =>
      openedByCode.get(codeHash, nowMs, ...blockers),
    /** Records where a code was validated, if it belongs to a session for that station. */
    validate(
      codeHash: string,
      blockers: CounterKeys,
      by: { stationId: string; bootId?: string; atMs: number },
    ): Promise<OpenedSession | undefined> {
      const { stationId, bootId, atMs } = by
      return validateByCode.get(codeHash, atMs, ...blockers, stationId, bootId)
    },
  }
}
