import { Type, type Static, type TObject, type TSchema } from 'typebox'

/** RFC 3339 instant; what we send is UTC with milliseconds. */
export const Instant = Type.String({ format: 'date-time' })
/** Calendar date, `YYYY-MM-DD`, no time zone. */
export const CalendarDate = Type.String({ format: 'date' })
/** Whole seconds, never negative. */
export const Seconds = Type.Integer({ minimum: 0 })
/** Identifier of a user, session, operator ...: opaque to every reader, printable ASCII. */
export const EntityId = Type.String({ pattern: '^[!-~]{1,64}$' })
/** Topic-safe name of a station or an account. */
export const StationId = Type.String({ pattern: '^[a-z0-9-]{1,32}$' })
export const Percent = Type.Number({ minimum: 0, maximum: 100 })

/** Maximum size of the details of an event or a fault, in bytes of JSON in UTF-8. */
const MAX_DETAILS_BYTES = 2_048

/** Free details that a station sends, of limited size since the journal keeps them. */
export const Details = Type.Refine(
  Type.Record(Type.String(), Type.Unknown()),
  (details) => utf8BytesOf(JSON.stringify(details)) <= MAX_DETAILS_BYTES,
  () => `more than ${MAX_DETAILS_BYTES} bytes`,
)

/** Bytes of a text in UTF-8. */
function utf8BytesOf(text: string): number {
  let bytes = 0
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i)
    // A surrogate is half of a character of four bytes.
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) bytes += 2
    else bytes += 3
  }
  return bytes
}

/** A string that must be one of the given literals. */
export function oneOf<const T extends readonly string[]>(values: T, fallback?: T[number]) {
  const options = fallback === undefined ? {} : { default: fallback }
  return Type.Unsafe<T[number]>(Type.String({ enum: [...values], ...options }))
}

/** A closed object: an unknown field is refused (REST bodies). */
export function closed<const P extends Record<string, TSchema>>(properties: P) {
  return Type.Object(properties, { additionalProperties: false })
}

/** The body of an answer that has none. */
export const Nothing = Type.Null()

/** A body that is a file of a media type. */
export const file = (contentMediaType: string) => Type.Unsafe<unknown>(Type.String({ contentMediaType }))

/** The page of a list: `{count, next, previous, results}`. */
export function pageOf<const T extends TSchema>(item: T) {
  return closed({
    count: Type.Integer({ minimum: 0 }),
    next: Type.Union([Type.String(), Type.Null()]),
    previous: Type.Union([Type.String(), Type.Null()]),
    results: Type.Array(item),
  })
}

/** A page as it is read. */
export interface Page<T> {
  count: number
  next: string | null
  previous: string | null
  results: T[]
}

/** The body of a PUT: the writable fields, and the answer's read-only fields, which are ignored. */
export function replacementOf<const W extends Record<string, TSchema>>(
  writable: TObject<W>,
  answer: TObject,
) {
  const ignored = Object.fromEntries(
    Object.keys(answer.properties)
      .filter((name) => !(name in writable.properties))
      .map((name) => [name, Type.Optional(Type.Unknown())]),
  )
  return Type.Unsafe<Static<TObject<W>>>(closed({ ...ignored, ...writable.properties }))
}

/** Query parameters of every list: which page, in which order. */
export const pageQuery = {
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 })),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 25 })),
  ordering: Type.Optional(Type.String({ pattern: '^-?[a-zA-Z]+$' })),
  /** How many rows of the page to leave out. `next` sets it when the rows of a page are too large for one answer. */
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 199, default: 0 })),
}

/** Query parameters of lists that can be searched. */
export const listQuery = { ...pageQuery, search: Type.Optional(Type.String({ maxLength: 200 })) }
