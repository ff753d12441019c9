import { Op, Utils, col, fn, where, type WhereOptions } from 'sequelize'

/** Columns that must equal what a filter gives; what it leaves undefined is not asked for. */
export function equalTo<Row>(filter: Partial<Record<string, unknown>>): WhereOptions<Row> {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined),
  ) as WhereOptions<Row>
}

/** Rows in which one of the columns contains `text`, letters of either case alike. */
export type Containing = <Row>(columns: readonly (keyof Row & string)[], text: string) => WhereOptions<Row>

/** Capitals that SQLite's `lower` leaves as they are: it knows ASCII alone. */
const CAPITALS = 'À Á Â Ã Ä Å Æ Ç È É Ê Ë Ì Í Î Ï Ñ Ò Ó Ô Õ Ö Ø Œ Ù Ú Û Ü Ý Ÿ'.split(' ')

/** @param dialect as Sequelize names it: the engines name the same function differently */
export function createContaining(dialect: string): Containing {
  const isSqlite = dialect === 'sqlite'
  const position = isSqlite ? 'instr' : 'strpos'
  const lower = (column: string) => {
    const known = fn('lower', col(Utils.underscoredIf(column, true)))
    if (!isSqlite) return known
    return CAPITALS.reduce((text, capital) => fn('replace', text, capital, capital.toLowerCase()), known)
  }
  return <Row>(columns: readonly (keyof Row & string)[], text: string) => {
    const conditions = columns.map((column) =>
      where(fn(position, lower(column), text.toLowerCase()), Op.gt, 0),
    )
    return { [Op.or]: conditions }
  }
}
