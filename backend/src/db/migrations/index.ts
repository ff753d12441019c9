import { QueryTypes, type Sequelize } from 'sequelize'
import type { Logger } from 'pino'
import { calendar } from './0002-calendar.ts'
import { accountsAndKeys } from './0004-accounts-and-keys.ts'
import { mainJob } from './0001-main-job.ts'
import { searchAndVersions } from './0003-search-and-versions.ts'
import { commands } from './0005-commands.ts'
import { pairingBySecret } from './0006-pairing-by-secret.ts'
import { signIns } from './0007-sign-ins.ts'
import { whatStationsSay } from './0009-what-stations-say.ts'
import { staffCalls } from './0010-staff-calls.ts'
import type { Migration } from './migration.ts'

/** Every step of the schema, oldest first; a step that has landed is never changed. */
const migrations: Migration[] = [
  mainJob,
  calendar,
  searchAndVersions,
  accountsAndKeys,
  commands,
  pairingBySecret,
  signIns,
  whatStationsSay,
  staffCalls,
]

const TABLE = 'schema_migrations'

/** Brings the schema up to date, each step in its own transaction; call with the writer's lock held. */
export async function migrate(sequelize: Sequelize, log: Logger): Promise<void> {
  if ((await pendingMigrations(sequelize)).length === 0) return
  // It brings a command line with it, and 8 MB of memory: most starts need neither.
  const { SequelizeStorage, Umzug } = await import('umzug')
  const umzug = new Umzug({
    migrations: migrations.map(({ name, statements }) => ({
      name,
      up: () =>
        sequelize.transaction(async (transaction) => {
          for (const sql of statements(sequelize.getDialect())) await sequelize.query(sql, { transaction })
        }),
    })),
    storage: new SequelizeStorage({ sequelize, tableName: TABLE }),
    logger: undefined,
  })
  umzug.on('migrated', ({ name }) => log.info({ migration: name }, 'schema migrated'))
  await umzug.up()
}

/** Names of the steps that a database has not seen. */
export async function pendingMigrations(sequelize: Sequelize): Promise<string[]> {
  const names = migrations.map(({ name }) => name)
  if (!(await sequelize.getQueryInterface().tableExists(TABLE))) return names
  const rows = await sequelize.query<{ name: string }>(`SELECT name FROM ${TABLE}`, {
    type: QueryTypes.SELECT,
  })
  const taken = new Set(rows.map(({ name }) => name))
  return names.filter((name) => !taken.has(name))
}
