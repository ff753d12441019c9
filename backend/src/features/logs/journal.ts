import { createHash, randomBytes } from 'node:crypto'
import { instantOf, type Actor, type Log, type LogAction, type LogLevel } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { LogNoteRow, LogRow } from '../../db/rows.ts'
import { textsIn } from '../../domain/free-text.ts'
import type { AppEvents } from '../../events.ts'
import type { LogRepository, NotedLogRow } from './repository.ts'

export interface LogEntry {
  action: LogAction
  level?: LogLevel
  actor: Actor
  stationId?: string | null
  sessionId?: string
  userId?: string | null
  ip?: string
  details?: Record<string, unknown>
  /**
   * What people or their machines wrote, shown among the details. It is kept beside the chain, which holds only its
   * hash, so that it can be removed with the person whom it names.
   */
  texts?: Record<string, unknown>
  /** When it happened, if not now; Unix milliseconds. */
  atMs?: number
}

export interface Journal {
  /** Adds records, in the same transaction as what they are about. Call inside a write. */
  append(...entries: LogEntry[]): Promise<void>
}

/** The actor of what the server does by itself. */
export const systemActor: Actor = { type: 'system', id: 'system', label: 'escale' }

/** The field of the chained details that holds the hash of the texts beside the chain. */
export const NOTE_HASH = 'textsSha256'

/** Hash of the record before the first. */
export const GENESIS_HASH = '0'.repeat(64)

export function createJournal(
  database: Database,
  repository: LogRepository,
  events: AppEvents,
  clock: Clock,
): Journal {
  /** The newest record, as far as this server knows: another may have written since, or the write was undone. */
  let newest: Pick<LogRow, 'id' | 'hash'> | undefined

  /** Links records to the newest one, each to the one before it. */
  function linkedAll(entries: readonly TimedEntry[], last: typeof newest): NotedLogRow[] {
    let before = last
    return entries.map((entry) => (before = linked(entry, before)))
  }

  async function appendAll(entries: readonly TimedEntry[]): Promise<void> {
    let rows = newest && linkedAll(entries, newest)
    if (!rows || !(await repository.insertAfter(rows))) {
      rows = linkedAll(entries, await repository.last())
      await repository.insert(rows)
    }
    const { id, hash } = rows.at(-1) as NotedLogRow
    newest = { id, hash }
    for (const row of rows) {
      const log = toLog(row)
      database.afterCommit(() => events.emit({ type: 'logAdded', log }))
    }
  }

  return {
    append(...entries) {
      const timed = entries.map((entry) => ({
        ...entry,
        atMs: entry.atMs ?? clock.nowMs(),
        note: noteOf(entry.texts),
      }))
      const [first, ...others] = timed
      return first && others.length === 0 ? database.together(appendAll, first) : appendAll(timed)
    },
  }
}

type TimedEntry = LogEntry & { atMs: number; note: Note | undefined }

/** @param last the record that this one follows in the chain; undefined for the first */
function linked(
  { details, level = 'info', actor, note, ...entry }: TimedEntry,
  last: Pick<LogRow, 'id' | 'hash'> | undefined,
): NotedLogRow {
  const unchained = {
    id: (last?.id ?? 0) + 1,
    atMs: entry.atMs,
    action: entry.action,
    level,
    actorType: actor.type,
    actorId: actor.id,
    actorLabel: actor.label,
    stationId: entry.stationId ?? null,
    sessionId: entry.sessionId ?? null,
    userId: entry.userId ?? null,
    ip: entry.ip ?? null,
    details: JSON.stringify({ ...details, ...(note && { [NOTE_HASH]: hashOfNote(note) }) }),
    prevHash: last?.hash ?? GENESIS_HASH,
  }
  const hash = hashOf(unchained)
  return { ...unchained, hash, ...(note && { note: { logId: unchained.id, ...note } }) }
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

type Note = Omit<LogNoteRow, 'logId'>

function noteOf(texts: Record<string, unknown> = {}): Note | undefined {
  const content = JSON.stringify(texts)
  if (content === '{}') return undefined
  // Without a salt, a short text could be found by trying all likely ones.
  return { salt: randomBytes(16).toString('hex'), content, searchText: textsIn(texts) }
}

/** SHA-256 of a note and its salt, as the chained details hold it. */
export function hashOfNote({ salt, content }: Pick<LogNoteRow, 'salt' | 'content'>): string {
  return createHash('sha256').update(salt).update(content).digest('hex')
}

/** The record's details as they are chained, and its texts where they still exist. */
function detailsOf({ details, note }: NotedLogRow): Record<string, unknown> {
  const texts = note ? (JSON.parse(note.content) as object) : {}
  return { ...texts, ...(JSON.parse(details) as object) }
}

export function toLog(row: NotedLogRow): Log {
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
    details: detailsOf(row),
    prevHash: row.prevHash,
    hash: row.hash,
  }
}
