import { instantOf } from '@escale/protocol'

type Present<T> = { [K in keyof T as null extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as null extends T[K] ? K : never]?: Exclude<T[K], null>
}

/** The same record without the columns that hold null: absent is absent, in answers and in the domain. */
export function withoutNulls<T extends object>(row: T): Present<T> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Present<T>
}

type Answer<T> = {
  [K in keyof T as K extends `${infer Name}Ms` ? Name : K]: K extends `${string}Ms` ? string : T[K]
}

/** Columns as answers show them: without nulls, and the instants `…Ms` as texts without these two letters. */
export function answerOf<T extends object>(row: T): Answer<Present<T>> {
  const present = Object.entries(row).filter(([, value]) => value !== null && value !== undefined)
  const shown = present.map(([name, value]): [string, unknown] =>
    name.endsWith('Ms') ? [name.slice(0, -2), instantOf(Number(value))] : [name, value],
  )
  return Object.fromEntries(shown) as Answer<Present<T>>
}
