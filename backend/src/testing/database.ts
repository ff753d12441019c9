import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Sequelize } from 'sequelize'
import { inject } from 'vitest'
import { connectionOptions } from '../db/connection.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server for tests: its own database holds the schema, and nothing is connected to it. */
    postgresUrl?: string
  }
}

/** Which engine the tests run on: a file each on SQLite, or a database each on a real PostgreSQL. */
export const isOnPostgres = () => inject('postgresUrl') !== undefined

/** Counts what is under way in each database that is opened from here on, until `end`. */
export function watchDatabases() {
  let underWay = 0
  const watch = ({ connectionManager }: Sequelize) => {
    const get = connectionManager.getConnection.bind(connectionManager)
    const release = connectionManager.releaseConnection.bind(connectionManager)
    connectionManager.getConnection = (options) => {
      underWay += 1
      return get(options)
    }
    connectionManager.releaseConnection = (connection) => {
      underWay -= 1
      release(connection)
    }
  }
  const name = randomBytes(6).toString('hex')
  Sequelize.addHook('afterInit', name, watch)
  return {
    /** Resolves once all that was asked is answered, and nothing more is asked because of it. */
    async settled(): Promise<void> {
      do await new Promise((resolve) => setImmediate(resolve))
      while (underWay > 0)
    },
    end: () => void Sequelize.removeHook('afterInit', name),
  }
}

/** A database of its own for one test. @param folder where a file may be kept; whoever made it removes it */
export async function createTestDatabase(folder: string): Promise<{ url: string; drop(): Promise<void> }> {
  const templateUrl = inject('postgresUrl')
  if (templateUrl === undefined) {
    return { url: `sqlite:${join(folder, 'escale.sqlite')}`, drop: () => Promise.resolve() }
  }
  const template = new URL(templateUrl).pathname.slice(1)
  const name = `test_${randomBytes(6).toString('hex')}`
  const server = new URL(templateUrl)
  server.pathname = '/postgres'
  const runThere = async (sql: string) => {
    const sequelize = new Sequelize(connectionOptions(server.href))
    await sequelize.query(sql)
    await sequelize.close()
  }
  await runThere(`CREATE DATABASE ${name} TEMPLATE ${template}`)
  const own = new URL(templateUrl)
  own.pathname = `/${name}`
  return { url: own.href, drop: () => runThere(`DROP DATABASE ${name} WITH (FORCE)`) }
}
