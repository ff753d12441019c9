import { statSync } from 'node:fs'
import type { Sequelize } from 'sequelize'
import type { Logger } from 'pino'
import { forgetStatements } from './statements.ts'

/** What we use of the sqlite3 package's connections, which Sequelize keeps by name. */
interface Connection {
  readonly open: boolean
  /** Sequelize closes a connection that has one as soon as its transaction ends. */
  uuid?: string
  configure(option: 'busyTimeout', ms: number): void
  exec(sql: string, done: (err: Error | null) => void): void
  close(done?: (err: Error | null) => void): void
}

/** Sequelize's names of our two connections: the one that reads, and the one of all write transactions. */
const READER = 'default'
const WRITER = 'writer'
/** How long a write waits for another program that holds the lock of the database. */
const LOCK_WAIT_MS = 5_000

type Connections = Partial<Record<string, Connection>>

/** What Sequelize's manager of connections has on SQLite, beside what its types say. */
interface Manager {
  connections?: Connections
  getConnection(options: { type?: string; uuid?: string }): Promise<Connection>
  releaseConnection(connection: Connection): void
}
const managerOf = (sequelize: Sequelize) => sequelize.connectionManager as unknown as Manager

/** Closes a database; connections that never opened would be waited for without end. */
export async function closeSequelize(sequelize: Sequelize): Promise<void> {
  const { connections = {} } = managerOf(sequelize)
  for (const [name, connection] of Object.entries(connections)) {
    if (connection) forgetStatements(connection)
    if (connection?.open === false) Reflect.deleteProperty(connections, name)
  }
  await sequelize.close()
}

/**
 * Keeps two connections to a SQLite file, where Sequelize opens the file anew for each transaction; and looks after
 * them when the disk or the file fails. Before the first query.
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
     * Closes the connection that writes, and with it whatever a failed transaction has left open: the lock on the
     * database. To be called when no transaction is under way; the next one opens it anew.
     */
    dropWriter: () => drop(WRITER),
    /** Reads and writes the file that is there now: one that was put in its place has another identity. */
    followFile(): void {
      const found = idOf(file)
      if (found === fileId) return
      // Written on an open connection, a file that was moved away would go on without anybody seeing it.
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

/** Every connection writes zeros over what it removes. Source: sqlite.org/pragma.html */
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
