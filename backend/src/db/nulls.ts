import { instantOf } from '@escale/protocol'

type Present<T> = { [K in keyof T as null extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as null extends T[K] ? K : never]?: Exclude<T[K], null>
}

/** The record without its null columns, because absent fields are omitted in answers and in the domain. */
export function withoutNulls<T extends object>(row: T): Present<T> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Present<T>
}

type Answer<T> = {
  [K in keyof T as K extends `${infer Name}Ms` ? Name : K]: K extends `${string}Ms` ? string : T[K]
}

/** Columns as in answers: without nulls, and instants `…Ms` as text without the suffix. */
export function answerOf<T extends object>(row: T): Answer<Present<T>> {
  const present = Object.entries(row).filter(([, value]) => value !== null && value !== undefined)
  const shown = present.map(([name, value]): [string, unknown] =>
    name.endsWith('Ms') ? [name.slice(0, -2), instantOf(Number(value))] : [name, value],
  )
  return Object.fromEntries(shown) as Answer<Present<T>>
}
