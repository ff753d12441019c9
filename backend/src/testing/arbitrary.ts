import fc, { type Arbitrary } from 'fast-check'
import { DAY_MS, textFormats } from '@escale/protocol'
import type { JsonSchema } from './description.ts'

export interface Vocabulary {
  schemas: Record<string, JsonSchema>
  /** Values that mean something to the server, by the name of the field. */
  fields: Record<string, Arbitrary<unknown>>
}

const MAX_ITEMS = 4
/** Years that both a calendar and a database know. */
const SPAN = { min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }

const formats: Record<string, Arbitrary<string>> = {
  'date-time': fc.date(SPAN).map((date) => date.toISOString()),
  date: fc
    .date(SPAN)
    .map((date) => new Date(Math.floor(date.getTime() / DAY_MS) * DAY_MS).toISOString().slice(0, 10)),
  email: fc.emailAddress(),
  phone: fc.stringMatching(/^\+?[0-9]{3,5}[ .-][0-9]{2,10}$/),
}

/** Values that fit a JSON schema, as far as the protocol uses the language. */
export function arbitraryOf(schema: JsonSchema, words: Vocabulary): Arbitrary<unknown> {
  const fitting = choose(schema, words)
  const { not } = schema as { not?: { const: unknown } }
  return not ? fitting.filter((value) => value !== not.const) : fitting
}

function choose(schema: JsonSchema, words: Vocabulary): Arbitrary<unknown> {
  const { $ref, type, anyOf, minimum, maximum } = schema as {
    $ref?: string
    type?: string
    anyOf?: JsonSchema[]
    minimum?: number
    maximum?: number
  }
  if ($ref !== undefined) return arbitraryOf(words.schemas[$ref.split('/').at(-1) ?? ''] ?? {}, words)
  if (anyOf) return fc.oneof(...anyOf.map((one) => arbitraryOf(one, words)))
  if ('enum' in schema) return fc.constantFrom(...(schema['enum'] as unknown[]))
  if ('const' in schema) return fc.constant(schema['const'])
  switch (type) {
    case 'object':
      return objectOf(schema, words)
    case 'array': {
      const {
        items = {},
        minItems = 0,
        maxItems = MAX_ITEMS,
      } = schema as {
        items?: JsonSchema
        minItems?: number
        maxItems?: number
      }
      const bounds = { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, MAX_ITEMS)) }
      return fc.array(arbitraryOf(items, words), bounds)
    }
    case 'string':
      return stringOf(schema)
    case 'integer':
      return fc.integer({
        min: minimum ?? -(2 ** 31),
        max: Math.max(minimum ?? 0, Math.min(maximum ?? 2 ** 31, 2 ** 31)),
      })
    case 'number':
      return fc.double({ min: minimum ?? -1e6, max: maximum ?? 1e6, noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return fc.jsonValue({ maxDepth: 2 })
  }
}

function objectOf(schema: JsonSchema, words: Vocabulary): Arbitrary<unknown> {
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, JsonSchema>
    required?: string[]
  }
  const fields = Object.entries(properties).map(([name, field]) => {
    const fitting = arbitraryOf(field, words)
    const known = Object.hasOwn(words.fields, name) ? words.fields[name] : undefined
    const some = known
      ? fc.oneof({ arbitrary: known, weight: 4 }, { arbitrary: fitting, weight: 1 })
      : fitting
    return [name, some] as const
  })
  return fc.record(Object.fromEntries(fields), { requiredKeys: required, noNullPrototype: true })
}

function stringOf(schema: JsonSchema): Arbitrary<string> {
  const {
    format,
    pattern,
    minLength = 0,
    maxLength = 40,
  } = schema as {
    format?: string
    pattern?: string
    minLength?: number
    maxLength?: number
  }
  const known = format === undefined ? undefined : formats[format]
  if (known) return known
  const ours = Object.entries(textFormats).find(([name]) => name === format)?.[1]
  if (ours) {
    const text = fc.string({
      unit: 'grapheme',
      minLength,
      maxLength: Math.max(minLength, Math.min(maxLength, 40)),
    })
    return text.filter(ours.check)
  }
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, 'u'))
  // Typed by people all over the world, and by those who try what happens.
  const unit = fc.constantFrom<'grapheme' | 'binary'>('grapheme', 'binary')
  return unit.chain((kind) =>
    fc.string({ unit: kind, minLength, maxLength: Math.max(minLength, Math.min(maxLength, 40)) }),
  )
}

/** Values that no schema of ours expects, wherever they stand. */
export const strangeValue: Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    0,
    -1,
    1.5,
    Infinity,
    2 ** 53,
    true,
    [],
    {},
    [[]],
    '\0',
    'é'.repeat(5_000),
  ),
  fc.constantFrom<unknown>(
    '__proto__',
    'constructor',
    "'; DROP TABLE users; --",
    '%',
    '\ud800',
    '2026-02-30',
  ),
  fc.jsonValue({ maxDepth: 2 }),
)

/** A body gone wrong in one place, or altogether. */
export function spoilt(body: unknown): Arbitrary<unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return strangeValue
  const names = Object.keys(body)
  const unknownField = fc
    .tuple(fc.constantFrom('unknown', '__proto__', 'toString', 'a/b~c'), strangeValue)
    .map(([name, value]) => withField(body, name, value))
  if (names.length === 0) return fc.oneof(unknownField, strangeValue)
  const name = fc.constantFrom(...names)
  return fc.oneof(
    { arbitrary: unknownField, weight: 2 },
    { arbitrary: fc.tuple(name, strangeValue).map(([n, value]) => withField(body, n, value)), weight: 4 },
    {
      arbitrary: name.map((n) => Object.fromEntries(Object.entries(body).filter(([key]) => key !== n))),
      weight: 2,
    },
    { arbitrary: strangeValue, weight: 1 },
  )
}

/** Through JSON's eyes: `__proto__` is a name like another. */
const withField = (body: object, name: string, value: unknown) =>
  Object.fromEntries([...Object.entries(body).filter(([key]) => key !== name), [name, value]])
