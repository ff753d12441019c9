import type { SessionRules } from '../domain/session.ts'
import { deadlineMsOf } from '../domain/session.ts'
import { withoutNulls } from './nulls.ts'
import type { SessionRecord, SessionRow } from './rows.ts'

/** A session's row as the domain uses it. */
export function toSessionRecord(row: SessionRow): SessionRecord {
  const {
    codeHash: _codeHash,
    validatedStationId: _station,
    validatedAtMs: _at,
    validatedBootId: _bootId,
    deadlineMs: _deadline,
    ...clock
  } = row
  return withoutNulls(clock)
}

/** The columns that every UPDATE of a session writes. */
export const savedColumns = [
  'userId',
  'stationId',
  'state',
  'mayOutliveClosing',
  'grantedSeconds',
  'creditSeconds',
  'consumedMs',
  'codeExpiresAtMs',
  'bootId',
  'movedBackMs',
  'runningSinceMs',
  'startedAtMs',
  'suspendedAtMs',
  'endedAtMs',
  'endReason',
  'deadlineMs',
  'version',
  'updatedAtMs',
] as const satisfies readonly (keyof SessionRow)[]

/** The columns that an UPDATE of a session writes. A code that is no longer valid is deleted. */
export function sessionColumns(session: SessionRecord, rules: SessionRules): Partial<SessionRow> {
  return {
    userId: session.userId ?? null,
    stationId: session.stationId ?? null,
    state: session.state,
    mayOutliveClosing: session.mayOutliveClosing,
    grantedSeconds: session.grantedSeconds,
    creditSeconds: session.creditSeconds,
    consumedMs: session.consumedMs,
    codeExpiresAtMs: session.codeExpiresAtMs,
    bootId: session.bootId ?? null,
    movedBackMs: session.movedBackMs ?? 0,
    runningSinceMs: session.runningSinceMs ?? null,
    startedAtMs: session.startedAtMs ?? null,
    suspendedAtMs: session.suspendedAtMs ?? null,
    endedAtMs: session.endedAtMs ?? null,
    endReason: session.endReason ?? null,
    deadlineMs: deadlineMsOf(session, rules) ?? null,
    version: session.version,
    updatedAtMs: session.updatedAtMs,
    ...(session.state === 'pending' ? {} : { codeHash: null }),
  }
}
