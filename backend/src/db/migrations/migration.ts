import type { Sequelize, Transaction } from 'sequelize'
import type { Logger } from 'pino'

/** One step of the schema, as the statements that make it. */
export interface Migration {
  name: string
  /** What cannot be part of a transaction; done again where the step failed after it. */
  before?(sequelize: Sequelize, log: Logger): Promise<void>
  /** @param dialect as Sequelize names it */
  statements(dialect: string): string[]
  /** What SQL cannot say, in the transaction of the statements and after them. */
  rebuild?(sequelize: Sequelize, transaction: Transaction): Promise<void>
}
