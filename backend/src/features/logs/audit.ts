import type { LogCheckpointRow } from '../../db/rows.ts'
import { GENESIS_HASH, NOTE_HASH, hashOf, hashOfNote } from './journal.ts'
import type { NotedLogRow } from './repository.ts'

/** Whether the journal's chain is whole, or at which record it is broken first. */
export type AuditReport =
  | { isWhole: true; count: number; lastId: number; lastHash: string }
  | {
      isWhole: false
      brokenId: number
      reason: 'missing' | 'altered' | 'unlinked' | 'unsealed' | 'text-altered'
    }

export interface AuditSource {
  checkpoints(): Promise<Pick<LogCheckpointRow, 'upToId' | 'lastHash'>[]>
  /** Records after `id`, oldest first, at most `limit`. */
  after(id: number, limit: number): Promise<NotedLogRow[]>
}

const BATCH = 1_000

/**
 * Follows the chain from the oldest record to the newest. A purge may have removed the records below a checkpoint, which
 * keeps the hash to which the next record is linked. It cannot find that the newest records were cut off, if nothing
 * was added since. Notes beside the chain may have been removed with the person whom they named; those that exist must
 * fit the hash in the chain.
 */
export async function auditJournal(source: AuditSource): Promise<AuditReport> {
  const checkpoints = await source.checkpoints()
  const sealed = new Map(checkpoints.map(({ upToId, lastHash }) => [upToId, lastHash]))
  sealed.set(0, GENESIS_HASH)
  const newestSealId = Math.max(...sealed.keys())
  let last = { id: 0, hash: GENESIS_HASH }
  let count = 0

  for (;;) {
    const rows = await source.after(last.id, BATCH)
    for (const row of rows) {
      if (row.id !== last.id + 1) {
        const hash = sealed.get(row.id - 1)
        if (hash === undefined) {
          // Records below a checkpoint may have been purged.
          const knownId = row.id > newestSealId ? Math.max(last.id, newestSealId) : last.id
          return { isWhole: false, brokenId: knownId + 1, reason: 'missing' }
        }
        last = { id: row.id - 1, hash }
      }
      if (row.prevHash !== last.hash) return { isWhole: false, brokenId: row.id, reason: 'unlinked' }
      if (row.hash !== hashOf(row)) return { isWhole: false, brokenId: row.id, reason: 'altered' }
      if (!isNoteWhole(row)) return { isWhole: false, brokenId: row.id, reason: 'text-altered' }
      if ((sealed.get(row.id) ?? row.hash) !== row.hash)
        return { isWhole: false, brokenId: row.id, reason: 'unsealed' }
      last = { id: row.id, hash: row.hash }
      count += 1
    }
    if (rows.length < BATCH) break
  }
  // All records may have been purged: the next one is linked to the checkpoint.
  if (count === 0) last = { id: newestSealId, hash: sealed.get(newestSealId) ?? GENESIS_HASH }
  if (last.id < newestSealId) return { isWhole: false, brokenId: last.id + 1, reason: 'missing' }
  return { isWhole: true, count, lastId: last.id, lastHash: last.hash }
}

function isNoteWhole({ details, note }: NotedLogRow): boolean {
  return !note || (JSON.parse(details) as Record<string, unknown>)[NOTE_HASH] === hashOfNote(note)
}
