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

/** What services need of the database: to write, and to act once something is written. */
export interface Database {
  /**
   * Runs `work` in one write transaction; called inside another, it joins that one. One write is under way at a
   * time, over all servers of a database: what `work` reads stays true until it is committed, so nothing but the
   * database may be awaited in it. A failed statement ends it: whoever catches must throw on. It may be
   * asked to do all of it again. Source: docs/adr/0004-one-writer-or-retries.md
   * @throws AppError `duplicate` or `session-active` when only the database's own guards saw a conflict,
   * `storage-unavailable` when nothing can be stored now
   */
  write<T>(work: () => Promise<T>): Promise<T>
  /**
   * As `write`, for what comes often: may share its transaction with others that wait. What the others have just
   * written is in the database, and not yet in memory. Source: docs/adr/0032-hot-statements-are-prepared.md
   */
  writeShared<T>(work: () => Promise<T>): Promise<T>
  /**
   * Hands an item to `store`. In a shared transaction `store` gets all its items together, at the end; else it gets
   * each at once.
   */
  together<T>(store: (items: readonly T[]) => Promise<void>, item: T): Promise<void>
  /** Runs `effect` once the transaction under way is committed, in the order of the commits. */
  afterCommit(effect: () => void): void
  /** How the newest write ended. */
  storage(): StorageState
  /**
   * Makes what was removed illegible in the files of the database too, as far as the engine lets us; @returns whether
   * it is done: never on PostgreSQL, which keeps a log of its own, and not yet while another program reads the file
   */
  completeErasure(): Promise<boolean>
  /** How many statements the database has been sent, those that begin and end transactions among them. */
  statementCount(): number
  close(): Promise<void>
}

/** What repositories read and write with; nobody else sees tables. */
export interface Tables {
  readonly sequelize: Sequelize
  readonly models: Models
  readonly containing: Containing
  /** What a query must carry to be part of the transaction under way. */
  scope(): { transaction?: Transaction }
  /** SQL that is sent often, to be made once by a repository. */
  readonly statement: Statements['statement']
}

/** An open database, for whoever builds services and their repositories. */
export interface Store extends Database, Tables {}

export interface StorageState {
  /** What hinders writes, until one succeeds. */
  fault: StorageFault | undefined
  /** When a write last succeeded, by `performance.now()`. */
  storedAtMs: number
}

type Collected = Map<(items: readonly never[]) => Promise<void>, unknown[]>

interface UnitOfWork {
  transaction: Transaction
  effects: (() => void)[]
  /** Of a shared transaction: what is stored at its end. */
  collected?: Collected | undefined
}

const ATTEMPTS = 5
/** After a lost connection, doubled each time: a restart of PostgreSQL takes about a second. */
const RECONNECT_MS = 50

/**
 * Opens the database, brings its schema up to date, and hands it out.
 * @param url `sqlite:<file>` or `postgres://...`
 */
export async function openDatabase(url: string, log: Logger): Promise<Store> {
  const file = fileOf(url)
  const isSqlite = file !== undefined
  // SQLite takes an empty file for an empty database; later it opens what is there, and makes nothing.
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
    // Where the last run ended too early for it.
    await erasure?.complete()
  } catch (err) {
    erasure?.stop()
    await closeSequelize(sequelize)
    throw err
  }

  let queue: Promise<unknown> = Promise.resolve()
  /** How often the writes under way added what follows at their end. */
  let additions = 0
  const storage: StorageState = { fault: undefined, storedAtMs: -Infinity }
  let locked = { atMs: -Infinity, err: undefined as unknown }

  /** Notes what hinders writes, and logs when that begins and ends; @returns what the caller is told */
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
      // What hinders it may lie in its connection, for instance in a file that was taken away.
      if (storageFaultOf(err) !== undefined) connections?.dropWriter()
      // Once the commit is on its way, a lost connection does not say whether it got there.
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
        // What is committed has happened: nobody may take it for a failure and do it again.
        log.error({ err }, 'telling of a commit failed')
      }
    }
    return result
  }

  const turn = <T>(work: () => Promise<T>): Promise<T> => {
    const askedAtMs = performance.now()
    const done = queue.then(() => {
      // While this one waited, another waited in vain for a lock: to wait again for each would be hours.
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

/** What is stored may add more. */
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
  // Several servers may start at once. This transaction only holds the lock, so it may well stand still.
  await sequelize.transaction(async (transaction) => {
    await sequelize.query('SET LOCAL idle_in_transaction_session_timeout = 0', { transaction })
    await sequelize.query(TAKE_WRITER_LOCK, { transaction })
    await migrate(sequelize, log)
  })
}
