/** Deeper than any document of Escale. A much deeper document would overflow the stack of code that walks it. */
export const MAX_DEPTH = 32

/** Contents that a schema allows, and that a database or another reader refuses. */
export type UnsoundReason = 'nul' | 'lone-surrogate' | 'not-finite' | 'too-deep'

export interface Unsound {
  /** Where, as RFC 6901 writes it. */
  pointer: string
  reason: UnsoundReason
}

/**
 * Searches a parsed document for the NUL character, halves of surrogate pairs, numbers that are not finite, and nesting
 * beyond {@link MAX_DEPTH}, in names and in values. Binary data is not searched.
 * @returns the first fault found, undefined when there is none
 */
export function unsoundnessOf(value: unknown): Unsound | undefined {
  const fault = faultIn(value, 0)
  return (
    fault && { reason: fault.reason, pointer: fault.path.map((name) => `/${pointerTokenOf(name)}`).join('') }
  )
}

/** One level of a pointer. Source: RFC 6901, section 3. */
export const pointerTokenOf = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')

interface Fault {
  path: string[]
  reason: UnsoundReason
}

function faultIn(value: unknown, depth: number): Fault | undefined {
  if (typeof value === 'string') return faultOfText(value)
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : { path: [], reason: 'not-finite' }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined
  if (depth === MAX_DEPTH) return { path: [], reason: 'too-deep' }
  return Array.isArray(value) ? faultInList(value, depth) : faultInFields(value, depth)
}

// No list of entries is made: a list may hold a hundred thousand items.
function faultInList(items: readonly unknown[], depth: number): Fault | undefined {
  for (let index = 0; index < items.length; index += 1) {
    const fault = faultIn(items[index], depth + 1)
    if (fault) return { ...fault, path: [String(index), ...fault.path] }
  }
  return undefined
}

function faultInFields(fields: object, depth: number): Fault | undefined {
  for (const name of Object.keys(fields)) {
    const fault = faultOfText(name) ?? faultIn((fields as Record<string, unknown>)[name], depth + 1)
    if (fault) return { ...fault, path: [name, ...fault.path] }
  }
  return undefined
}

function faultOfText(text: string): Fault | undefined {
  if (text.includes('\0')) return { path: [], reason: 'nul' }
  return text.isWellFormed() ? undefined : { path: [], reason: 'lone-surrogate' }
}
