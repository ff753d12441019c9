export type Schema = Record<string, unknown> & {
  type?: string
  properties?: Record<string, Schema>
  items?: Schema
  anyOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  pattern?: string
  format?: string
  maxLength?: number
  maxItems?: number
  maximum?: number
  $ref?: string
}

/** Characters that make a backtracking regular expression slow when they are repeated. */
const HARD_TEXTS = ['a', ' ', '0', '.', 'a@', '-', 'é', '\u202f']

/**
 * Bodies of the largest permitted size: valid ones, and invalid ones that are refused as late as possible.
 * @param schema the schema of the route's body, with references resolved
 * @param example a valid body
 * @param limit the largest body that the route accepts, in bytes
 */
export function largestBodies(schema: Schema, example: unknown, limit: number): Record<string, string> {
  const base = { ...(example as Record<string, unknown>) }
  const shapes: Record<string, string> = {
    'unknown fields': filledTo(limit, (count) => ({ ...base, ...numbered(count) }), 14),
    'nested lists': '['.repeat(limit / 2) + ']'.repeat(limit / 2),
    'a list of numbers': `[${Array<string>(Math.floor(limit / 2) - 1)
      .fill('1')
      .join(',')}]`,
    'a long text': JSON.stringify('x'.repeat(limit - 2)),
    'what fits, at its largest': JSON.stringify(largestOf(schema, base, limit)),
  }
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const space = limit - Buffer.byteLength(JSON.stringify(base)) - name.length - 16
    shapes[`many items in ${name}`] = JSON.stringify({
      ...base,
      [name]: Array(Math.floor(space / 2)).fill(1),
    })
    shapes[`nesting in ${name}`] = JSON.stringify({ ...base, [name]: '-' }).replace(
      '"-"',
      '['.repeat(space / 2) + ']'.repeat(space / 2),
    )
    if (field.type !== 'string') continue
    for (const text of HARD_TEXTS) {
      const times = Math.floor(space / Buffer.byteLength(text))
      shapes[`${name} full of ${JSON.stringify(text)}`] = JSON.stringify({
        ...base,
        [name]: text.repeat(times),
      })
    }
  }
  return Object.fromEntries(Object.entries(shapes).filter(([, text]) => Buffer.byteLength(text) <= limit))
}

const numbered = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, 1]))

function filledTo(limit: number, make: (count: number) => object, bytesEach: number): string {
  let count = Math.floor(limit / bytesEach)
  for (;;) {
    const text = JSON.stringify(make(count))
    if (Buffer.byteLength(text) <= limit) return text
    count = Math.floor(count * 0.95)
  }
}

/** The example with every text, list and object as large as the schema and the limit allow. */
function largestOf(schema: Schema, example: unknown, limit: number): unknown {
  if (schema.anyOf) return example
  if (schema.type === 'string' && isFree(schema))
    return 'é'.repeat(Math.min(schema.maxLength ?? 1_000, limit / 4))
  if (schema.type === 'integer' || schema.type === 'number') return example
  if (schema.type === 'array' && schema.items) {
    const items = Array.isArray(example) ? (example as unknown[]) : []
    const item = largestOf(schema.items, items[0], limit)
    if (item === undefined) return example
    const size = Buffer.byteLength(JSON.stringify(item)) + 1
    return Array(Math.min(schema.maxItems ?? 100_000, Math.floor(limit / 2 / size))).fill(item)
  }
  if (schema.type !== 'object' || !schema.properties) return example
  const given = (example ?? {}) as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(schema.properties).flatMap(([name, field]) => {
      const value = largestOf(field, given[name], limit)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

const isFree = ({ pattern, format, enum: values, const: only }: Schema) =>
  pattern === undefined && format === undefined && values === undefined && only === undefined
