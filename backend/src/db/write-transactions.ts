import { Transaction, type Sequelize } from 'sequelize'
import type { Statements } from './statements.ts'

/** Held by the running write. The number is arbitrary but fixed. */
export const TAKE_WRITER_LOCK = 'SELECT pg_advisory_xact_lock(4543299)'

/** A Sequelize transaction that we begin and end ourselves, with as few statements as possible. */
type OwnTransaction = Transaction & { connection: object; finished?: 'commit' | 'rollback' }

export type InTransaction = <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>

/**
 * Runs write transactions, only one at a time over all servers of a database.
 * @param abandon closes the connection of a transaction that could not be ended
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
      // Its connection is closed, which ends the transaction too.
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
