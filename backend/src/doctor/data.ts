import { constants, existsSync } from 'node:fs'
import type { Tables } from '../db/database.ts'
import { fileOf } from '../db/connection.ts'
import { examineDatabase } from '../db/examination.ts'
import { laterRelease } from '../db/migrations/index.ts'
import { storageError, storageErrorOf } from '../db/storage-fault.ts'
import { withDatabase } from '../db/with-database.ts'
import { messageOf } from '../errors.ts'
import { createOperatorRepository } from '../features/operators/index.ts'
import { auditJournal, createLogRepository } from '../features/logs/index.ts'
import { bad, good, isAllowed, reasonOf, type Finding } from './finding.ts'

/** How many of the newest records are checked; `npm run audit:verify` checks all. */
const RECORDS = 1_000

export interface DataReport {
  findings: Finding[]
  lastRecordMs?: number
  /** An administrator in whose name the running server can be asked. */
  adminId?: string
}

export async function findData(url: string): Promise<DataReport> {
  const file = fileOf(url)
  if (file !== undefined && !existsSync(file)) {
    const nothing = good(
      'Base de données\u00a0: le premier démarrage la fera',
      'Database: the first start makes it',
    )
    return { findings: [nothing] }
  }
  try {
    const fault = await findFault(url, file)
    return fault ? { findings: [fault] } : await withDatabase(url, readContents)
  } catch (err) {
    const known = storageErrorOf(err)
    const fault = known
      ? bad(messageOf(known, 'fr'), messageOf(known, 'en'))
      : bad(
          `La base de données ne s’ouvre pas (${reasonOf(err)})\u00a0: vérifiez DATABASE_URL.`,
          `The database does not open (${reasonOf(err)}): check DATABASE_URL.`,
        )
    return { findings: [fault] }
  }
}

async function findFault(url: string, file: string | undefined): Promise<Finding | undefined> {
  if (file !== undefined && !isAllowed(file, constants.R_OK | constants.W_OK)) {
    const { detail } = storageError('read-only').extras
    if (detail) return bad(detail.fr, detail.en)
  }
  const { pending, unknown, damage } = await examineDatabase(url)
  if (damage.length > 0)
    return bad(
      `La base de données est abîmée (${damage[0]})\u00a0: arrêtez le serveur et remettez la dernière sauvegarde.`,
      `The database is damaged (${damage[0]}): stop the server and put back the last backup.`,
    )
  if (unknown.length > 0) {
    const [french = '', english = ''] = laterRelease(undefined, unknown).message.split('\n')
    return bad(french, english)
  }
  if (pending.length === 0) return undefined
  return bad(
    `La base de données attend ${pending.join(', ')}\u00a0: redémarrez le serveur, qui la met à jour.`,
    `The database waits for ${pending.join(', ')}: restart the server, which brings it up to date.`,
  )
}

async function readContents(database: Tables): Promise<DataReport> {
  const logs = createLogRepository(database)
  const newest = await logs.last()
  const [first, ...rest] = await logs.after((newest?.id ?? 0) - RECORDS, RECORDS)
  const { rows } = await createOperatorRepository(database).list({
    role: 'admin',
    isActive: true,
    pageSize: 1,
  })
  const chain = await auditJournal({
    // Earlier records are not checked: the chain starts at the first of these.
    checkpoints: () => Promise.resolve(first ? [{ upToId: first.id - 1, lastHash: first.prevHash }] : []),
    after: (id, limit) => logs.after(first ? Math.max(id, first.id - 1) : id, limit),
  })
  const journal = chain.isWhole
    ? good(
        `Journal\u00a0: ${chain.count}\u00a0dernières lignes intactes`,
        `Journal: newest ${chain.count} records whole`,
      )
    : bad(
        `Le journal est rompu à la ligne ${chain.brokenId}\u00a0: gardez une copie de la base et cherchez qui y a touché (npm run audit:verify).`,
        `The journal is broken at record ${chain.brokenId}: keep a copy of the database and find out who touched it (npm run audit:verify).`,
      )
  const findings = [good('Base de données', 'Database'), journal]
  return { findings, lastRecordMs: (rest.at(-1) ?? first)?.atMs, adminId: rows[0]?.id }
}
