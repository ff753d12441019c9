/** A value by which rows can be filtered and sorted. */
export type FieldValue = string | number | boolean | null | undefined
export type Fields<Row> = Record<string, (row: Row) => FieldValue>

/** Which rows of a list are on the page, and the field to sort by. Absent values come last in both directions. */
export interface Selection {
  limit: number
  offset: number
  order?: { field: string; isDescending: boolean }
}

/** One page of `rows`. The rows are already in the default order, which also decides between equal values. */
export function selectRows<Row>(
  rows: readonly Row[],
  fields: Fields<Row>,
  { limit, offset, order }: Selection,
): { count: number; rows: Row[] } {
  const valueOf = order && fields[order.field]
  const sorted = valueOf ? sortBy(rows, valueOf, order.isDescending) : rows
  return { count: rows.length, rows: sorted.slice(offset, offset + limit) }
}

/** A test for rows that have all defined values of a filter; undefined if the filter has none. */
export function matcherOf<Row>(
  fields: Fields<Row>,
  filter: Record<string, FieldValue>,
): ((row: Row) => boolean) | undefined {
  let matches: ((row: Row) => boolean) | undefined
  for (const [field, value] of Object.entries(filter)) {
    if (value === undefined) continue
    const [valueOf, others] = [fields[field], matches]
    matches = (row) => valueOf?.(row) === value && (others?.(row) ?? true)
  }
  return matches
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

/** Compares text by code units, because databases sort by bytes; `false` comes before `true`. */
export function compareValues<T extends string | number | boolean>(a: T, b: T): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
