import { createHash } from 'node:crypto'
import { instantOf, type Actor, type Log, type LogAction, type LogLevel } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { LogRow } from '../../db/rows.ts'
import type { AppEvents } from '../../events.ts'
import type { LogRepository } from './repository.ts'

export interface LogEntry {
  action: LogAction
  level?: LogLevel
  actor: Actor
  stationId?: string | null
  sessionId?: string
  userId?: string | null
  ip?: string
  details?: Record<string, unknown>
  /** When it happened, if not now; Unix milliseconds. */
  atMs?: number
}

export interface Journal {
  /** Adds one record, in the same transaction as what it tells. Call inside a write. */
  append(entry: LogEntry): Promise<void>
}

/** What acts when no person does. */
export const systemActor: Actor = { type: 'system', id: 'system', label: 'escale' }

/** Hash of the record before the first. */
export const GENESIS_HASH = '0'.repeat(64)

export function createJournal(
  database: Database,
  repository: LogRepository,
  events: AppEvents,
  clock: Clock,
): Journal {
  return {
    async append(entry) {
      const last = await repository.last()
      const unchained = {
        id: (last?.id ?? 0) + 1,
        atMs: entry.atMs ?? clock.nowMs(),
        action: entry.action,
        level: entry.level ?? 'info',
        actorType: entry.actor.type,
        actorId: entry.actor.id,
        actorLabel: entry.actor.label,
        stationId: entry.stationId ?? null,
        sessionId: entry.sessionId ?? null,
        userId: entry.userId ?? null,
        ip: entry.ip ?? null,
        details: JSON.stringify(entry.details ?? {}),
        prevHash: last?.hash ?? GENESIS_HASH,
      }
      const row: LogRow = { ...unchained, hash: hashOf(unchained) }
      await repository.insert(row)
      database.afterCommit(() => events.emit({ type: 'logAdded', log: toLog(row) }))
    },
  }
}

/** SHA-256 over the record's fields in this order, its predecessor's hash last: the link of the chain. */
export function hashOf(row: Omit<LogRow, 'hash'>): string {
  const { id, atMs, action, level, actorType, actorId, actorLabel } = row
  const { stationId, sessionId, userId, ip, details, prevHash } = row
  const fields = [id, atMs, action, level, actorType, actorId, actorLabel, stationId, sessionId, userId, ip]
  return createHash('sha256')
    .update(JSON.stringify([...fields, details, prevHash]))
    .digest('hex')
}

export function toLog(row: LogRow): Log {
  return {
    id: row.id,
    at: instantOf(row.atMs),
    action: row.action,
    level: row.level,
    actor: { type: row.actorType, id: row.actorId, label: row.actorLabel },
    ...(row.stationId === null ? {} : { stationId: row.stationId }),
    ...(row.sessionId === null ? {} : { sessionId: row.sessionId }),
    ...(row.userId === null ? {} : { userId: row.userId }),
    ...(row.ip === null ? {} : { ip: row.ip }),
    details: JSON.parse(row.details) as Record<string, unknown>,
    prevHash: row.prevHash,
    hash: row.hash,
  }
}
