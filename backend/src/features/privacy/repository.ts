import { Op } from 'sequelize'
import type { Database } from '../../db/database.ts'
import { toSessionRecord } from '../../db/session-record.ts'
import { logsSaying } from '../logs/index.ts'
import type { LogRow, SessionRecord, UserRow } from '../../db/rows.ts'

export type PrivacyRepository = ReturnType<typeof createPrivacyRepository>

export function createPrivacyRepository(database: Database) {
  const { models, scope } = database
  const { users, sessions, logs } = models
  return {
    async sessionsOf(userId: string): Promise<SessionRecord[]> {
      const rows = await sessions.findAll({ where: { userId }, order: [['createdAtMs', 'ASC']], ...scope() })
      return rows.map((row) => toSessionRecord(row.get()))
    },
    async logsOf(userId: string): Promise<LogRow[]> {
      const rows = await logs.findAll({ where: { userId }, order: [['id', 'ASC']], ...scope() })
      return rows.map((row) => row.get())
    },
    /** What is left of a person: rows that point to them, and journal details that say something of theirs. */
    async left({ id, firstName, lastName, email, phone }: UserRow) {
      const said = [`${firstName} ${lastName}`, `${lastName} ${firstName}`, email, phone]
      const texts = said.filter((text) => text !== null)
      const naming = { [Op.or]: texts.map((text) => logsSaying(database, ['details', 'actorLabel'], text)) }
      return {
        users: await users.count({ where: { id }, ...scope() }),
        sessions: await sessions.count({ where: { userId: id }, ...scope() }),
        logsNaming: await logs.count({ where: naming, ...scope() }),
        /** The journal keeps the number of the file, which leads to nobody any more. */
        logsWithIdOnly: await logs.count({ where: { userId: id }, ...scope() }),
      }
    },
  }
}
