import { statSync } from 'node:fs'
import type { Sequelize } from 'sequelize'
import type { Logger } from 'pino'

/** What we use of the sqlite3 package's connections, which Sequelize keeps by name. */
interface Connection {
  readonly open: boolean
  close(done?: (err: Error | null) => void): void
}
/** Sequelize's name of the connection that reads; each transaction has one of its own. */
const READER = 'default'

type Connections = Partial<Record<string, Connection>>

const connectionsOf = (sequelize: Sequelize): Connections =>
  (sequelize.connectionManager as unknown as { connections?: Connections }).connections ?? {}

/** Closes a database; connections that never opened would be waited for without end. */
export async function closeSequelize(sequelize: Sequelize): Promise<void> {
  const connections = connectionsOf(sequelize)
  for (const [name, connection] of Object.entries(connections))
    if (connection?.open === false) Reflect.deleteProperty(connections, name)
  await sequelize.close()
}

/** What Sequelize does not do with the connections of a SQLite file when the disk or the file fails. */
export function createSqliteConnections(sequelize: Sequelize, file: string, log: Logger) {
  const connections = connectionsOf(sequelize)
  let fileId = idOf(file)

  function drop(name: string): void {
    connections[name]?.close(() => undefined)
    Reflect.deleteProperty(connections, name)
  }

  return {
    /**
     * Closes what a failed transaction left open: where its end failed as well, Sequelize forgets it open, and with
     * it the lock on the database. To be called when no transaction is under way.
     */
    abandonTransactions(): void {
      for (const name of Object.keys(connections)) if (name !== READER) drop(name)
    },
    /** Reads from the file that is there now: one that was put in its place has another identity. */
    followFile(): void {
      const found = idOf(file)
      if (found === undefined || found === fileId) return
      log.error(
        { file },
        'another database was put in the place of the one that was open: restart the server',
      )
      fileId = found
      drop(READER)
    },
  }
}

function idOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}
