import { examineDatabase } from '../db/examination.ts'
import { laterRelease } from '../db/migrations/index.ts'
import { withDatabase } from '../db/with-database.ts'
import { auditJournal, createLogRepository, type AuditReport } from '../features/logs/index.ts'
import { SetupError } from '../errors.ts'

/**
 * Checks a copy of the database, and the chain of the journal in it.
 * @param file used by nobody else
 * @returns the state of the chain; undefined for a copy of an earlier release, whose journal may differ
 * @throws SetupError when the copy is damaged or comes from a later release
 */
export async function checkCopy(file: string): Promise<AuditReport | undefined> {
  const url = `sqlite:${file}`
  const { damage, pending, unknown } = await examineDatabase(url, 'integrity_check')
  if (unknown.length > 0) throw laterRelease(undefined, unknown)
  if (damage.length > 0)
    throw new SetupError(
      `La copie de la base de données est abîmée (${damage[0]}).`,
      `The copy of the database is damaged (${damage[0]}).`,
    )
  if (pending.length > 0) return undefined
  return withDatabase(url, (database) => auditJournal(createLogRepository(database)))
}
