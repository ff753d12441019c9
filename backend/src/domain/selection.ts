/** What rows can be filtered and ordered by. */
export type FieldValue = string | number | boolean | null | undefined
export type Fields<Row> = Record<string, (row: Row) => FieldValue>

/** Which rows of a list make a page, and by which field they are ordered, what is absent last in either direction. */
export interface Selection {
  limit: number
  offset: number
  order?: { field: string; isDescending: boolean }
}

/** One page of `rows`, which stand in the list's own order already: it decides where the field says nothing. */
export function selectRows<Row>(
  rows: readonly Row[],
  fields: Fields<Row>,
  { limit, offset, order }: Selection,
): { count: number; rows: Row[] } {
  const valueOf = order && fields[order.field]
  const sorted = valueOf ? sortBy(rows, valueOf, order.isDescending) : rows
  return { count: rows.length, rows: sorted.slice(offset, offset + limit) }
}

/** Tells which rows have what a filter gives, what it leaves undefined aside; undefined when it asks for nothing. */
export function matcherOf<Row>(
  fields: Fields<Row>,
  filter: Record<string, FieldValue>,
): ((row: Row) => boolean) | undefined {
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined)
  if (asked.length === 0) return undefined
  return (row) => asked.every(([field, value]) => fields[field]?.(row) === value)
}

function sortBy<Row>(rows: readonly Row[], valueOf: (row: Row) => FieldValue, isDescending: boolean): Row[] {
  const sign = isDescending ? -1 : 1
  return [...rows].sort((a, b) => {
    const [left, right] = [valueOf(a) ?? undefined, valueOf(b) ?? undefined]
    if (left === undefined || right === undefined)
      return Number(left === undefined) - Number(right === undefined)
    return sign * compareValues(left, right)
  })
}

/** Text by its code units, as databases sort by bytes; `false` before `true`. */
export function compareValues<T extends string | number | boolean>(a: T, b: T): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
