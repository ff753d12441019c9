import { Op, Utils, col, fn, where, type WhereOptions } from 'sequelize'
import { foldText } from '../domain/search-text.ts'

/** Columns that must equal the filter's values; undefined values are ignored. */
export function equalTo<Row>(filter: Partial<Record<string, unknown>>): WhereOptions<Row> {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined),
  ) as WhereOptions<Row>
}

/**
 * Rows in which one of the columns (normalised, or plain ASCII) contains `text`, without regard to accents and case.
 */
export type Containing = <Row>(columns: readonly (keyof Row & string)[], text: string) => WhereOptions<Row>

/** @param dialect Sequelize's name of the engine, because the function has a different name on each */
export function createContaining(dialect: string): Containing {
  const position = dialect === 'sqlite' ? 'instr' : 'strpos'
  return <Row>(columns: readonly (keyof Row & string)[], text: string) => {
    const conditions = columns.map((column) =>
      where(fn(position, fn('lower', col(Utils.underscoredIf(column, true))), foldText(text)), Op.gt, 0),
    )
    return { [Op.or]: conditions }
  }
}
