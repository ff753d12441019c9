import type { Sequelize, Transaction } from 'sequelize'
import type { Logger } from 'pino'

/** One migration, as its statements. */
export interface Migration {
  name: string
  /** Work that cannot be part of a transaction. It is repeated if the migration failed after it. */
  before?(sequelize: Sequelize, log: Logger): Promise<void>
  /** @param dialect Sequelize's name of the engine */
  statements(dialect: string): string[]
  /** Work that SQL cannot do, in the same transaction after the statements. */
  rebuild?(sequelize: Sequelize, transaction: Transaction): Promise<void>
}
