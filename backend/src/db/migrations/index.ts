import { QueryTypes, type Sequelize } from 'sequelize'
import type { Logger } from 'pino'
import { calendar } from './0002-calendar.ts'
import { accountsAndKeys } from './0004-accounts-and-keys.ts'
import { mainJob } from './0001-main-job.ts'
import { searchAndVersions } from './0003-search-and-versions.ts'
import { commands } from './0005-commands.ts'
import { pairingBySecret } from './0006-pairing-by-secret.ts'
import { signIns } from './0007-sign-ins.ts'
import { textsBesideTheJournal } from './0008-texts-beside-the-journal.ts'
import { whatStationsSay } from './0009-what-stations-say.ts'
import { staffCalls } from './0010-staff-calls.ts'
import { siteMarks } from './0011-site-marks.ts'
import { theRoomInMemory } from './0014-the-room-in-memory.ts'
import { getMark } from '../marks.ts'
import type { Migration } from './migration.ts'
import { RELEASE } from '../../release.ts'
import { SetupError } from '../../errors.ts'

/** All migrations, oldest first. A released migration is never changed. */
export const migrations: readonly Migration[] = [
  mainJob,
  calendar,
  searchAndVersions,
  accountsAndKeys,
  commands,
  pairingBySecret,
  signIns,
  textsBesideTheJournal,
  whatStationsSay,
  staffCalls,
  siteMarks,
  theRoomInMemory,
]

const TABLE = 'schema_migrations'

/**
 * Updates the schema, each migration in one transaction with its entry. Call it with the writer's lock.
 * @param steps the migrations of this release, or fewer for an earlier schema
 * @throws SetupError if a later release has written the database
 */
export async function migrate(sequelize: Sequelize, log: Logger, steps = migrations): Promise<void> {
  const { pending, unknown } = await examineSchema(sequelize)
  if (unknown.length > 0) throw laterRelease(await releaseOf(sequelize), unknown)
  if (pending.length === 0) return
  await sequelize.query(`CREATE TABLE IF NOT EXISTS ${TABLE} (name VARCHAR(255) NOT NULL PRIMARY KEY)`)
  for (const { name, before, statements, rebuild } of steps) {
    if (!pending.includes(name)) continue
    await before?.(sequelize, log)
    await sequelize.transaction(async (transaction) => {
      for (const sql of statements(sequelize.getDialect())) await sequelize.query(sql, { transaction })
      await rebuild?.(sequelize, transaction)
      await sequelize.query(`INSERT INTO ${TABLE} (name) VALUES (:name)`, {
        replacements: { name },
        transaction,
      })
    })
    log.info({ migration: name }, 'schema migrated')
  }
}

/** The difference between a database's schema and this release's, as names of migrations. */
export interface SchemaState {
  /** Migrations that the next start will run. */
  pending: string[]
  /** Migrations that only a later release knows. */
  unknown: string[]
}

export async function examineSchema(sequelize: Sequelize): Promise<SchemaState> {
  const names = migrations.map(({ name }) => name)
  if (!(await sequelize.getQueryInterface().tableExists(TABLE))) return { pending: names, unknown: [] }
  const rows = await sequelize.query<{ name: string }>(`SELECT name FROM ${TABLE} ORDER BY name`, {
    type: QueryTypes.SELECT,
  })
  const taken = rows.map(({ name }) => name)
  return {
    pending: names.filter((name) => !taken.includes(name)),
    unknown: taken.filter((name) => !names.includes(name)),
  }
}

/** The release that wrote a database last, if it is recorded. */
async function releaseOf(sequelize: Sequelize): Promise<string | undefined> {
  if (!(await sequelize.getQueryInterface().tableExists('site_marks'))) return undefined
  return getMark({ sequelize, scope: () => ({}) }, 'release')
}

/** @param unknown the migrations that this release does not know */
export function laterRelease(release: string | undefined, unknown: readonly string[]): SetupError {
  const [french, english] = release ? [` (${release})`, ` (${release})`] : ['', '']
  return new SetupError(
    `La base de données a été écrite par une version d’Escale plus récente${french} que celle-ci (${RELEASE})\u00a0: elle contient ${unknown.join(', ')}. Lancez la version récente, ou remettez une sauvegarde de cette version-ci (npm run restore).`,
    `The database was written by a later release of Escale${english} than this one (${RELEASE}): it holds ${unknown.join(', ')}. Run the later release, or bring back a backup of this one (npm run restore).`,
  )
}
