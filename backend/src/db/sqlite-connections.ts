import { statSync } from 'node:fs'
import type { Sequelize } from 'sequelize'
import type { Logger } from 'pino'
import { forgetStatements } from './statements.ts'

/** The part of the sqlite3 package's connections that we use; Sequelize stores them by name. */
interface Connection {
  readonly open: boolean
  /** Sequelize closes a connection with this field at the end of its transaction. */
  uuid?: string
  configure(option: 'busyTimeout', ms: number): void
  exec(sql: string, done: (err: Error | null) => void): void
  close(done?: (err: Error | null) => void): void
}

/** Sequelize's names of our two connections: one for reading, one for all write transactions. */
const READER = 'default'
const WRITER = 'writer'
/** How long a write waits for another program that holds the database's lock. */
const LOCK_WAIT_MS = 5_000

type Connections = Partial<Record<string, Connection>>

/** Fields of Sequelize's connection manager on SQLite that its types omit. */
interface Manager {
  connections?: Connections
  getConnection(options: { type?: string; uuid?: string }): Promise<Connection>
  releaseConnection(connection: Connection): void
}
const managerOf = (sequelize: Sequelize) => sequelize.connectionManager as unknown as Manager

/** Closes a database. Sequelize would wait without end for connections that were never opened. */
export async function closeSequelize(sequelize: Sequelize): Promise<void> {
  const { connections = {} } = managerOf(sequelize)
  for (const [name, connection] of Object.entries(connections)) {
    if (connection) forgetStatements(connection)
    if (connection?.open === false) Reflect.deleteProperty(connections, name)
  }
  await sequelize.close()
}

/**
 * Keeps two connections to a SQLite file, because Sequelize opens the file for each transaction, and handles failures
 * of disk and file. Call it before the first query.
 */
export function createSqliteConnections(sequelize: Sequelize, file: string, log: Logger) {
  const manager = managerOf(sequelize)
  const connections = (manager.connections ??= {})
  const getConnection = manager.getConnection.bind(manager)
  const releaseConnection = manager.releaseConnection.bind(manager)
  const prepared = new WeakSet<Connection>()
  let fileId = idOf(file)

  manager.getConnection = async (options) => {
    const isWriter = options.type === 'write' || (options.uuid ?? READER) !== READER
    options.uuid = isWriter ? WRITER : READER
    const connection = await getConnection(options)
    if (!prepared.has(connection)) {
      if (isWriter) connection.configure('busyTimeout', LOCK_WAIT_MS)
      await zeroWhatIsRemoved(connection)
      prepared.add(connection)
    }
    return connection
  }
  manager.releaseConnection = (connection) => {
    Reflect.deleteProperty(connection, 'uuid')
    releaseConnection(connection)
  }

  function drop(name: string): void {
    const connection = connections[name]
    Reflect.deleteProperty(connections, name)
    if (!connection) return
    forgetStatements(connection)
    connection.close(() => undefined)
  }

  return {
    /**
     * Closes the writing connection, and so releases the lock of a failed transaction. Call it when no transaction is
     * running; the next one opens it again.
     */
    dropWriter: () => drop(WRITER),
    /** Makes reads and writes use the current file: a replaced file has another inode. */
    followFile(): void {
      const found = idOf(file)
      if (found === fileId) return
      // On an open connection, writes would silently continue in a file that was moved away.
      drop(WRITER)
      if (found === undefined) return
      log.error(
        { file },
        'another database was put in the place of the one that was open: restart the server',
      )
      fileId = found
      drop(READER)
    },
  }
}

/** Every connection overwrites deleted data with zeros. Source: sqlite.org/pragma.html */
function zeroWhatIsRemoved(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.exec('PRAGMA secure_delete=ON', (err) => {
      if (err) reject(err)
      else resolve()
    })
  })
}

function idOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}
