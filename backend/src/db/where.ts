import { Op, Utils, col, fn, where, type WhereOptions } from 'sequelize'
import { foldText } from '../domain/search-text.ts'

/** Columns that must equal what a filter gives; what it leaves undefined is not asked for. */
export function equalTo<Row>(filter: Partial<Record<string, unknown>>): WhereOptions<Row> {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined),
  ) as WhereOptions<Row>
}

/** Rows in which one of the columns, each folded or plain ASCII, contains `text`, accents and case aside. */
export type Containing = <Row>(columns: readonly (keyof Row & string)[], text: string) => WhereOptions<Row>

/** @param dialect as Sequelize names it: the engines name the same function differently */
export function createContaining(dialect: string): Containing {
  const position = dialect === 'sqlite' ? 'instr' : 'strpos'
  return <Row>(columns: readonly (keyof Row & string)[], text: string) => {
    const conditions = columns.map((column) =>
      where(fn(position, fn('lower', col(Utils.underscoredIf(column, true))), foldText(text)), Op.gt, 0),
    )
    return { [Op.or]: conditions }
  }
}
