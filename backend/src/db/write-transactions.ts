import { Transaction, type Sequelize } from 'sequelize'
import type { Statements } from './statements.ts'

/** Held by the one write under way; any number will do, always the same. */
export const TAKE_WRITER_LOCK = 'SELECT pg_advisory_xact_lock(4543299)'

/** A transaction of Sequelize that we begin and end ourselves, with as few statements as it takes. */
type OwnTransaction = Transaction & { connection: object; finished?: 'commit' | 'rollback' }

export type InTransaction = <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>

/**
 * Runs write transactions, each alone over all servers of a database.
 * @param abandon closes the connection of a transaction that could not be ended, and with it what it holds
 */
export function createWriteTransactions(
  sequelize: Sequelize,
  { script }: Pick<Statements, 'script'>,
  abandon: (connection: object) => Promise<void>,
): InTransaction {
  const manager = sequelize.connectionManager
  const begin = sequelize.getDialect() === 'sqlite' ? 'BEGIN IMMEDIATE' : `BEGIN; ${TAKE_WRITER_LOCK}`

  async function isRolledBack(connection: unknown): Promise<boolean> {
    try {
      await script(connection, 'ROLLBACK')
      return true
    } catch {
      // Its connection is closed, which ends it as well.
      return false
    }
  }

  return async (work) => {
    const transaction = new Transaction(sequelize, {}) as OwnTransaction
    const connection = await manager.getConnection({ type: 'write' })
    transaction.connection = connection
    try {
      await script(connection, begin)
      const result = await work(transaction)
      await script(connection, 'COMMIT')
      transaction.finished = 'commit'
      manager.releaseConnection(connection)
      return result
    } catch (err) {
      transaction.finished = 'rollback'
      if (await isRolledBack(connection)) manager.releaseConnection(connection)
      else await abandon(connection)
      throw err
    }
  }
}
