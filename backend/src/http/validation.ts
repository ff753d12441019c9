import { textFormats } from '@escale/protocol'
import { Ajv, type AnySchemaObject, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance } from 'fastify'

/** For a larger invalid document only the first fault is listed. */
const MAX_EXPLAINED_FIELDS = 1_000

/**
 * Bodies are not changed: nothing is removed, filled in or converted. Query strings and path parameters are text, so
 * numbers and booleans in them are converted and defaults are filled in.
 */
export function registerValidation(app: FastifyInstance): void {
  const bodies = validatorsOf({ removeAdditional: false, coerceTypes: false, useDefaults: false })
  const queries = validatorsOf({ removeAdditional: false, coerceTypes: true, useDefaults: true })
  app.setValidatorCompiler<AnySchemaObject>(({ schema, httpPart }) =>
    (httpPart === 'body' ? bodies : queries)(schema),
  )
}

/**
 * Validation stops at the first fault, so that many faults do not cost more time. Only a small invalid document is
 * validated again to list all its faults.
 */
function validatorsOf(options: ConstructorParameters<typeof Ajv>[0]) {
  const first = new Ajv({ ...options, allErrors: false })
  const every = new Ajv({ ...options, allErrors: true })
  for (const ajv of [first, every]) {
    addFormats.default(ajv)
    for (const [name, { check }] of Object.entries(textFormats)) ajv.addFormat(name, check)
  }

  return (schema: AnySchemaObject) => {
    const fits = first.compile(schema)
    let explain: ValidateFunction | undefined
    return (value: unknown): true | { error: ErrorObject[] } => {
      if (fits(value)) return true
      const found = fits.errors ?? []
      if (isLarge(value)) return { error: found }
      explain ??= every.compile(schema)
      return { error: explain(value) ? found : (explain.errors ?? found) }
    }
  }
}

/**
 * Fastify's serialiser compiles the schemas again, to distinguish the alternatives of a union. It must know the names
 * of our formats but does not need to check them.
 */
export const answersOptions = {
  ajv: { formats: Object.fromEntries(Object.keys(textFormats).map((name) => [name, true] as const)) },
}

/** Whether a value has more than the limit of fields and items. Stops counting at the limit. */
function isLarge(value: unknown): boolean {
  const open = [value]
  for (let fields = 0; fields <= MAX_EXPLAINED_FIELDS; fields += 1) {
    if (open.length === 0) return false
    const one = open.pop()
    if (typeof one !== 'object' || one === null) continue
    for (const name in one) {
      if (open.length > MAX_EXPLAINED_FIELDS) return true
      open.push((one as Record<string, unknown>)[name])
    }
  }
  return true
}
