import { QueryTypes, type Sequelize, type Transaction } from 'sequelize'
import type { Logger } from 'pino'
import { foldText, normalisePhone, userSearchTextOf } from './folded-texts.ts'
import type { Migration } from './migration.ts'

const BATCH = 1_000

/**
 * Texts of people are stored beside the journal, where they can be deleted. The file is written again once, because
 * text that was deleted earlier can still be read in it. Archives get a mark that says whether they are anonymous. Search
 * texts find hyphens, apostrophes and telephone numbers in every spelling.
 */
export const textsBesideTheJournal: Migration = {
  name: '0008-texts-beside-the-journal',
  before: rewriteFile,
  statements: (dialect) => [
    `CREATE TABLE log_notes (
      log_id BIGINT PRIMARY KEY REFERENCES logs (id) ON DELETE CASCADE,
      salt TEXT NOT NULL,
      content TEXT NOT NULL,
      search_text TEXT NOT NULL
    )`,
    `ALTER TABLE archives ADD COLUMN is_anonymous BOOLEAN NOT NULL DEFAULT ${dialect === 'sqlite' ? '0' : 'FALSE'}`,
    `CREATE INDEX logs_user ON logs (user_id) WHERE user_id IS NOT NULL`,
    `CREATE INDEX session_profiles_municipality ON session_profiles (municipality) WHERE municipality IS NOT NULL`,
    `CREATE INDEX session_profiles_occupation ON session_profiles (occupation) WHERE occupation IS NOT NULL`,
  ],
  async rebuild(sequelize, transaction) {
    await rebuildUsers(sequelize, transaction)
    await refold(sequelize, transaction, 'stations', 'id')
    await refold(sequelize, transaction, 'log_texts', 'log_id')
  },
}

/** Writes a SQLite file again, without data of rows that were deleted before deleted rows were overwritten with zeros. */
export async function rewriteFile(sequelize: Sequelize, log: Logger): Promise<void> {
  if (sequelize.getDialect() !== 'sqlite') return
  try {
    await sequelize.query('VACUUM')
  } catch (err) {
    log.warn(
      { err },
      'the database could not be written anew, it needs as much room again: what was removed from it before stays legible in its file',
    )
  }
}

interface Profile {
  id: string
  lastName: string
  firstName: string
  email: string | null
  phone: string | null
  municipality: string | null
}

async function rebuildUsers(sequelize: Sequelize, transaction: Transaction): Promise<void> {
  for (let after = ''; ;) {
    const rows = await sequelize.query<Profile>(
      `SELECT id, last_name AS "lastName", first_name AS "firstName", email, phone, municipality
        FROM users WHERE id > :after ORDER BY id LIMIT ${BATCH}`,
      { replacements: { after }, type: QueryTypes.SELECT, transaction },
    )
    for (const row of rows) {
      const phone = row.phone && (normalisePhone(row.phone) ?? row.phone)
      await sequelize.query('UPDATE users SET phone = :phone, search_text = :text WHERE id = :id', {
        replacements: { id: row.id, phone, text: userSearchTextOf({ ...row, phone }) },
        transaction,
      })
    }
    const last = rows.at(-1)
    if (!last || rows.length < BATCH) return
    after = last.id
  }
}

/** Folds texts again that an earlier release has folded. A text that is already correct does not change. */
async function refold(
  sequelize: Sequelize,
  transaction: Transaction,
  table: 'stations' | 'log_texts',
  key: 'id' | 'log_id',
): Promise<void> {
  for (let after: string | number = key === 'id' ? '' : 0; ;) {
    const rows: { key: string | number; text: string }[] = await sequelize.query(
      `SELECT ${key} AS "key", search_text AS "text" FROM ${table} WHERE ${key} > :after ORDER BY ${key} LIMIT ${BATCH}`,
      { replacements: { after }, type: QueryTypes.SELECT, transaction },
    )
    for (const row of rows) {
      const text = foldText(row.text)
      if (text === row.text) continue
      const sql = `UPDATE ${table} SET search_text = :text WHERE ${key} = :key`
      await sequelize.query(sql, { replacements: { key: row.key, text }, transaction })
    }
    const last = rows.at(-1)
    if (!last || rows.length < BATCH) return
    after = last.key
  }
}
