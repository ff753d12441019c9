/** One step of the schema, as the statements that make it. */
export interface Migration {
  name: string
  /** @param dialect as Sequelize names it */
  statements(dialect: string): string[]
}
