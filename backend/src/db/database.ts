import { AsyncLocalStorage } from 'node:async_hooks'
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Sequelize, type Transaction } from 'sequelize'
import type { Logger } from 'pino'
import { connectionOptions, fileOf } from './connection.ts'
import { toConflict } from './conflicts.ts'
import { closeSequelize, createSqliteConnections } from './sqlite-connections.ts'
import { storageError, storageFaultOf, type StorageFault } from './storage-fault.ts'
import { createSecureErasure } from './secure-erasure.ts'
import { createSharedWrites } from './shared-writes.ts'
import { createStatements, type Statements } from './statements.ts'
import { createWriteTransactions, TAKE_WRITER_LOCK } from './write-transactions.ts'
import { isAskedAgain, isConnectionLost } from './retries.ts'
import { defineModels, type Models } from './models.ts'
import { createContaining, type Containing } from './where.ts'
import { migrate } from './migrations/index.ts'

/** What services need: to write, and to act after a commit. */
export interface Database {
  /**
   * Runs `work` in one write transaction; inside another one, it joins that. Only one write runs at a time, over all
   * servers of a database: what `work` reads stays true until the commit, so it may await nothing but the database. A
   * failed statement ends the transaction: who catches its error must throw again. `work` may be repeated. Source:
   * docs/adr/0004-one-writer-or-retries.md
   * @throws AppError `duplicate` or `session-active` if only a constraint of the database detected a conflict,
   * `storage-unavailable` if nothing can be stored now
   */
  write<T>(work: () => Promise<T>): Promise<T>
  /**
   * Like `write`, for frequent changes: may share its transaction with others that wait. Their changes are in the
   * database but not yet in memory. Source: docs/adr/0032-hot-statements-are-prepared.md
   */
  writeShared<T>(work: () => Promise<T>): Promise<T>
  /**
   * Passes an item to `store`. In a shared transaction `store` gets all its items together at the end, otherwise each
   * at once.
   */
  together<T>(store: (items: readonly T[]) => Promise<void>, item: T): Promise<void>
  /** Runs `effect` after the commit of the current transaction, in the order of the commits. */
  afterCommit(effect: () => void): void
  /** The result of the newest write. */
  storage(): StorageState
  /**
   * Removes deleted data from the database's files, as far as possible;
   * @returns whether this is complete: never on PostgreSQL, which has its own log, and not while another program reads
   * the file
   */
  completeErasure(): Promise<boolean>
  /** Number of statements sent to the database, including those that begin and end transactions. */
  statementCount(): number
  close(): Promise<void>
}

/** For repositories only; nobody else uses tables. */
export interface Tables {
  readonly sequelize: Sequelize
  readonly models: Models
  readonly containing: Containing
  /** Options that make a query part of the current transaction. */
  scope(): { transaction?: Transaction }
  /** Prepares frequent SQL; call it once, in a repository. */
  readonly statement: Statements['statement']
}

/** An open database, for the code that creates services and repositories. */
export interface Store extends Database, Tables {}

export interface StorageState {
  /** Why writes fail, until one succeeds. */
  fault: StorageFault | undefined
  /** The time of the last successful write, by `performance.now()`. */
  storedAtMs: number
}

type Collected = Map<(items: readonly never[]) => Promise<void>, unknown[]>

interface UnitOfWork {
  transaction: Transaction
  effects: (() => void)[]
  /** Work for the end of a shared transaction. */
  collected?: Collected | undefined
}

const ATTEMPTS = 5
/** The pause after a lost connection, doubled each time: a restart of PostgreSQL takes about a second. */
const RECONNECT_MS = 50

/**
 * Opens the database and updates its schema.
 * @param url `sqlite:<file>` or `postgres://...`
 */
export async function openDatabase(url: string, log: Logger): Promise<Store> {
  const file = fileOf(url)
  const isSqlite = file !== undefined
  // SQLite accepts an empty file as an empty database. Later it opens only an existing file.
  if (isSqlite && !existsSync(file)) appendFileSync(file, '')
  const sequelize = new Sequelize(connectionOptions(url))
  const connections = isSqlite ? createSqliteConnections(sequelize, file, log) : undefined
  const erasure = isSqlite ? createSecureErasure(sequelize, file, log) : undefined
  const unitOfWork = new AsyncLocalStorage<UnitOfWork>()
  const scope = () => {
    const unit = unitOfWork.getStore()
    return unit ? { transaction: unit.transaction } : {}
  }
  const statements = createStatements(sequelize, scope)
  const inTransaction = createWriteTransactions(sequelize, statements, async (connection) => {
    if (!connections) return sequelize.connectionManager.destroyConnection(connection).catch(() => undefined)
    sequelize.connectionManager.releaseConnection(connection)
    connections.dropWriter()
  })
  try {
    await bringUpToDate(sequelize, log)
    // If the last run ended before this was done.
    await erasure?.complete()
  } catch (err) {
    erasure?.stop()
    await closeSequelize(sequelize)
    throw err
  }

  let queue: Promise<unknown> = Promise.resolve()
  /** How often the current writes added work for their end. */
  let additions = 0
  const storage: StorageState = { fault: undefined, storedAtMs: -Infinity }
  let locked = { atMs: -Infinity, err: undefined as unknown }

  /**
   * Records why writes fail, and logs the beginning and the end;
   * @returns the error for the caller
   */
  function noteFailure(err: unknown): unknown {
    const fault = storageFaultOf(err)
    if (fault === undefined) return toConflict(err)
    if (storage.fault !== fault) log.error({ err, fault }, 'nothing can be stored')
    storage.fault = fault
    if (fault === 'locked') locked = { atMs: performance.now(), err }
    return storageError(fault, err)
  }

  function noteSuccess(): void {
    if (storage.fault !== undefined) log.warn({ fault: storage.fault }, 'the database stores again')
    storage.fault = undefined
    storage.storedAtMs = performance.now()
  }

  const attempt = async <T>(
    work: () => Promise<T>,
    isShared: boolean,
    left: number,
  ): Promise<{ result: T; effects: UnitOfWork['effects'] }> => {
    const effects: UnitOfWork['effects'] = []
    const collected: Collected | undefined = isShared ? new Map() : undefined
    const progress = { isWorkDone: false }
    try {
      connections?.followFile()
      const result = await inTransaction(async (transaction) => {
        const done = await unitOfWork.run({ transaction, effects, collected }, async () => {
          const value = await work()
          if (collected) await storeAll(collected)
          return value
        })
        progress.isWorkDone = true
        return done
      })
      noteSuccess()
      return { result, effects }
    } catch (err) {
      // The connection itself may be the reason, for example because its file was removed.
      if (storageFaultOf(err) !== undefined) connections?.dropWriter()
      // After the COMMIT was sent, a lost connection does not say whether it was executed.
      const isLost = !isSqlite && !progress.isWorkDone && isConnectionLost(err)
      if (left > 1 && (isLost || isAskedAgain(err))) {
        if (isLost) await pause(RECONNECT_MS * 2 ** (ATTEMPTS - left))
        return attempt(work, isShared, left - 1)
      }
      throw noteFailure(err)
    }
  }

  const commit = async <T>(work: () => Promise<T>, { isShared } = { isShared: false }): Promise<T> => {
    const { result, effects } = await attempt(work, isShared, ATTEMPTS)
    for (const effect of effects) {
      try {
        effect()
      } catch (err) {
        // A commit cannot be undone: an error here must not look like a failed write, which would be repeated.
        log.error({ err }, 'an effect of a commit failed')
      }
    }
    return result
  }

  const turn = <T>(work: () => Promise<T>): Promise<T> => {
    const askedAtMs = performance.now()
    const done = queue.then(() => {
      // While this write waited, another one failed to get a lock. If each waited again, the queue would take hours.
      if (locked.atMs > askedAtMs) throw storageError('locked', locked.err)
      return work()
    })
    queue = done.catch((): undefined => undefined)
    return done
  }
  const changeCount = () => statements.changeCount() + additions
  const share = createSharedWrites({ turn, commit, changeCount })

  return {
    sequelize,
    models: defineModels(sequelize),
    containing: createContaining(sequelize.getDialect()),
    write: (work) => (unitOfWork.getStore() ? work() : turn(() => commit(work))),
    writeShared: (work) => (unitOfWork.getStore() ? work() : share(work)),
    async together(store, item) {
      const { collected } = unitOfWork.getStore() ?? {}
      if (!collected) return store([item])
      additions += 1
      const items = collected.get(store)
      if (items) items.push(item)
      else collected.set(store, [item])
    },
    afterCommit(effect) {
      const unit = unitOfWork.getStore()
      if (!unit) throw new Error('afterCommit outside a write')
      additions += 1
      unit.effects.push(effect)
    },
    scope,
    statement: statements.statement,
    statementCount: statements.count,
    storage: () => ({ ...storage }),
    async completeErasure() {
      if (erasure) return erasure.complete()
      await sequelize.query('VACUUM users, log_notes, log_texts, commands, staff_calls, answered_requests')
      return false
    },
    async close() {
      erasure?.stop()
      await queue
      await closeSequelize(sequelize)
    },
  }
}

/** Storing may add more work. */
async function storeAll(collected: Collected): Promise<void> {
  for (const [store, items] of collected) {
    collected.delete(store)
    await store(items as never[])
  }
}

async function bringUpToDate(sequelize: Sequelize, log: Logger): Promise<void> {
  if (sequelize.getDialect() === 'sqlite') {
    await sequelize.query('PRAGMA journal_mode=WAL')
    await migrate(sequelize, log)
    return
  }
  // Several servers may start at once. This transaction only holds the lock, so it may be idle.
  await sequelize.transaction(async (transaction) => {
    await sequelize.query('SET LOCAL idle_in_transaction_session_timeout = 0', { transaction })
    await sequelize.query(TAKE_WRITER_LOCK, { transaction })
    await migrate(sequelize, log)
  })
}
