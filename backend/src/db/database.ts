import { AsyncLocalStorage } from 'node:async_hooks'
import { Sequelize, Transaction, type Options } from 'sequelize'
import type { Logger } from 'pino'
import { defineModels, type Models } from './models.ts'
import { createContaining, type Containing } from './where.ts'
import { migrate } from './migrations/index.ts'

export interface Database {
  readonly sequelize: Sequelize
  readonly models: Models
  /**
   * Runs `work` in one write transaction; called inside another, it joins that one. On SQLite every write
   * is IMMEDIATE and goes through one queue, so nothing but the database may be awaited in `work`.
   */
  write<T>(work: () => Promise<T>): Promise<T>
  /** Runs `effect` once the transaction under way is committed, in the order of the commits. */
  afterCommit(effect: () => void): void
  readonly containing: Containing
  /** What a query must carry to be part of the transaction under way. */
  scope(): { transaction?: Transaction }
  close(): Promise<void>
}

interface UnitOfWork {
  transaction: Transaction
  effects: (() => void)[]
}

/**
 * Opens the database, brings its schema up to date, and hands it out.
 * @param url `sqlite:<file>` or `postgres://...`
 */
export async function openDatabase(url: string, log: Logger): Promise<Database> {
  const sequelize = new Sequelize(connectionOptions(url))
  const isSqlite = sequelize.getDialect() === 'sqlite'
  if (isSqlite) await sequelize.query('PRAGMA journal_mode=WAL')
  await migrate(sequelize, log)

  const unitOfWork = new AsyncLocalStorage<UnitOfWork>()
  let queue: Promise<unknown> = Promise.resolve()

  const commit = async <T>(work: () => Promise<T>): Promise<T> => {
    const effects: UnitOfWork['effects'] = []
    const options = isSqlite ? { type: Transaction.TYPES.IMMEDIATE } : {}
    const result = await sequelize.transaction(options, (transaction) =>
      unitOfWork.run({ transaction, effects }, work),
    )
    for (const effect of effects) {
      try {
        effect()
      } catch (err) {
        // What is committed has happened: nobody may take it for a failure and do it again.
        log.error({ err }, 'telling of a commit failed')
      }
    }
    return result
  }

  return {
    sequelize,
    models: defineModels(sequelize),
    containing: createContaining(sequelize.getDialect()),
    write(work) {
      if (unitOfWork.getStore()) return work()
      if (!isSqlite) return commit(work)
      const turn = queue.then(() => commit(work))
      queue = turn.catch((): undefined => undefined)
      return turn
    },
    afterCommit(effect) {
      const unit = unitOfWork.getStore()
      if (!unit) throw new Error('afterCommit outside a write')
      unit.effects.push(effect)
    },
    scope() {
      const unit = unitOfWork.getStore()
      return unit ? { transaction: unit.transaction } : {}
    },
    async close() {
      await queue
      await sequelize.close()
    },
  }
}

function connectionOptions(url: string): Options {
  const common = {
    logging: false,
    define: { underscored: true, timestamps: false, freezeTableName: true },
  } satisfies Options
  if (url.startsWith('sqlite:')) {
    return {
      ...common,
      dialect: 'sqlite',
      storage: url.slice('sqlite:'.length),
      hooks: {
        afterConnect(connection) {
          ;(connection as { configure(option: 'busyTimeout', ms: number): void }).configure(
            'busyTimeout',
            5_000,
          )
        },
      },
    }
  }
  return { ...common, ...postgresOptions(url) }
}

function postgresOptions(url: string): Options {
  const { protocol, hostname, port, username, password, pathname } = new URL(url)
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw new Error(`DATABASE_URL: expected sqlite: or postgres:, found ${protocol}`)
  }
  return {
    dialect: 'postgres',
    host: hostname,
    port: port ? Number(port) : 5432,
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
  }
}
