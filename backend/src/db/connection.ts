import { createRequire } from 'node:module'
import type { Options } from 'sequelize'

/** How long a PostgreSQL transaction may be idle: its writer hangs, and all others wait for it. */
const STANDSTILL_MS = 10_000
const POSTGRES_INT8 = 20
const POSTGRES_NUMERIC = 1700

/** SQLite's flag for an existing file. */
export const OPEN_READWRITE = 0x2

/** The part of the `pg` package that Sequelize uses for values. */
interface PostgresDriver {
  types: { getTypeParser(oid: number, format?: string): (value: string) => unknown }
}

/** @param url `sqlite:<file>` or `postgres://...` */
export function connectionOptions(url: string): Options {
  const common = {
    logging: false,
    define: { underscored: true, timestamps: false, freezeTableName: true },
  } satisfies Options
  const storage = fileOf(url)
  if (storage !== undefined) {
    return {
      ...common,
      dialect: 'sqlite',
      storage,
      // Opening must not create the file: if the folder was removed, an empty database would replace the site's.
      dialectOptions: { mode: OPEN_READWRITE },
    }
  }
  return { ...common, ...postgresOptions(url) }
}

/** The file of a SQLite database; undefined for PostgreSQL. */
export function fileOf(url: string): string | undefined {
  return url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined
}

function postgresOptions(url: string): Options {
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(url)
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw new Error(`DATABASE_URL: expected sqlite: or postgres:, found ${protocol}`)
  }
  return {
    dialect: 'postgres',
    // As in libpq, a folder here contains the server's socket.
    host: searchParams.get('host') ?? decodeURIComponent(hostname),
    port: port ? Number(port) : 5432,
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    dialectModule: driverWithNumbers(),
    dialectOptions: {
      idle_in_transaction_session_timeout: STANDSTILL_MS,
      keepAlive: true,
      // Whatever the site's default is: after waiting for the writer's lock, a write must see earlier commits.
      options: '-c default_transaction_isolation=read\\ committed',
    },
    pool: { min: 2, max: 10, idle: 60_000 },
  }
}

/** By default integers and sums are returned as text. A double can hold all of ours exactly. */
function driverWithNumbers(): object {
  // Loaded on demand, because most sites do not use it.
  const driver = createRequire(import.meta.url)('pg') as PostgresDriver
  const getTypeParser: PostgresDriver['types']['getTypeParser'] = (oid, format) =>
    oid === POSTGRES_INT8 || oid === POSTGRES_NUMERIC ? Number : driver.types.getTypeParser(oid, format)
  return { ...driver, types: { ...driver.types, getTypeParser } }
}
