import type { LogCheckpointRow } from '../../db/rows.ts'
import { GENESIS_HASH, NOTE_HASH, hashOf, hashOfNote } from './journal.ts'
import type { NotedLogRow } from './repository.ts'

/** How the journal's chain stands: whole up to a record, or broken at the first one that does not fit. */
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
 * Follows the chain from the first record that is left to the last. A purge may have taken the records below a
 * checkpoint, which keeps the hash that the next record is linked to. What it cannot see is that the newest
 * records have been cut off and nothing was added since. Texts beside the chain may rightly be gone, with the person
 * whom they named; those that are there must be what the chain holds the hash of.
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
          // What lies below a seal may rightly be gone.
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
  // Everything may have been purged; what comes next is linked to the seal.
  if (count === 0) last = { id: newestSealId, hash: sealed.get(newestSealId) ?? GENESIS_HASH }
  if (last.id < newestSealId) return { isWhole: false, brokenId: last.id + 1, reason: 'missing' }
  return { isWhole: true, count, lastId: last.id, lastHash: last.hash }
}

function isNoteWhole({ details, note }: NotedLogRow): boolean {
  return !note || (JSON.parse(details) as Record<string, unknown>)[NOTE_HASH] === hashOfNote(note)
}
