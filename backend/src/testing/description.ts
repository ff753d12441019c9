import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { textFormats } from '@escale/protocol'

export type JsonSchema = Record<string, unknown>

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  schema: JsonSchema
}

interface Media {
  schema?: JsonSchema
  example?: unknown
  examples?: Record<string, unknown>
}

interface DescribedAnswer {
  headers?: Record<string, unknown>
  content?: Record<string, Media>
}

export interface DescribedOperation {
  method: string
  /** As the description writes it: with braces, and the last slash. */
  path: string
  operationId: string
  summary?: string
  tags?: string[]
  security: Record<string, string[]>[]
  parameters: Parameter[]
  requestBody?: { required: boolean; content: Record<string, Media> }
  responses: Record<string, DescribedAnswer>
}

export interface GivenAnswer {
  status: number
  headers: Record<string, unknown>
  /** Parsed where it is JSON. */
  body: unknown
}

type Described = Omit<DescribedOperation, 'method' | 'path' | 'parameters'> & {
  parameters: (Parameter | { $ref: string })[]
}

export interface Document {
  paths: Record<string, Record<string, Described>>
  components: { parameters: Record<string, Parameter> } & Record<string, Record<string, unknown>>
}

const PROBLEM = 'application/problem+json'
const JSON_TYPE = 'application/json'

/** An OpenAPI document, as tests hold the server to it. */
export function readDescription(document: Document) {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  for (const [name, { check }] of Object.entries(textFormats)) ajv.addFormat(name, check)
  ajv.addSchema(document, 'api')
  const checks = new Map<string, ValidateFunction>()

  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): DescribedOperation => {
      const parameters = operation.parameters.map((parameter) =>
        '$ref' in parameter ? sharedParameter(document, parameter.$ref) : parameter,
      )
      return { ...operation, parameters, method: method.toUpperCase(), path }
    }),
  )
  const patterns = operations.map((operation) => ({
    operation,
    isLiteral: !operation.path.includes('{'),
    pattern: new RegExp(`^${operation.path.replace(/\/$/, '').replace(/\{\w+\}/g, '[^/]+')}/?$`),
  }))

  /** What is wrong with a value, by the schema at a place of the document; undefined when nothing is. */
  function faultOf(value: unknown, ...place: string[]): string | undefined {
    const pointer = place.map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')
    const check = checks.get(pointer) ?? ajv.compile({ $ref: `api#/${encodeURI(pointer)}` })
    checks.set(pointer, check)
    return check(value) ? undefined : ajv.errorsText(check.errors)
  }
  const placeOf = ({ path, method }: DescribedOperation) => ['paths', path, method.toLowerCase()]

  return {
    operations,

    /** The operation that a call meets; undefined for what the document does not name. Literal paths go first. */
    find(method: string, url: string): DescribedOperation | undefined {
      const path = url.split('?')[0] ?? ''
      const met = patterns.filter(({ pattern }) => pattern.test(path))
      const isNamed = met.some(({ isLiteral }) => isLiteral)
      return met.find(({ operation, isLiteral }) => operation.method === method && isLiteral === isNamed)
        ?.operation
    },

    bodyFault: (operation: DescribedOperation, body: unknown) =>
      faultOf(body, ...placeOf(operation), 'requestBody', 'content', JSON_TYPE, 'schema'),

    exampleFault(operation: DescribedOperation, status: string, example: unknown) {
      return faultOf(example, ...placeOf(operation), 'responses', status, 'content', JSON_TYPE, 'schema')
    },

    /** What an answer says that the document does not; empty when it keeps to it. */
    faultsOf(operation: DescribedOperation, { status, headers, body }: GivenAnswer): string[] {
      const described = operation.responses[status]
      const code = (body as { code?: unknown } | null)?.code
      if (!described) return [`${status} ${String(code)} is not described`]
      const faults: string[] = []
      const type = textOf(headers['content-type']).split(';')[0] ?? ''
      const media = described.content?.[type]
      if (described.content ? !media : type !== '') faults.push(`content type ${type || 'missing'}`)
      if (type === PROBLEM || (type === JSON_TYPE && media?.schema)) {
        const fault = faultOf(
          body,
          ...placeOf(operation),
          'responses',
          `${status}`,
          'content',
          type,
          'schema',
        )
        if (fault !== undefined) faults.push(fault)
      }
      if (type === PROBLEM && !Object.hasOwn(media?.examples ?? {}, String(code)))
        faults.push(`code ${String(code)} is not described`)
      for (const name of ['ETag', 'Retry-After', 'WWW-Authenticate']) {
        const isDescribed = described.headers?.[name] !== undefined
        if ((headers[name.toLowerCase()] !== undefined) !== isDescribed)
          faults.push(`header ${name} ${isDescribed ? 'missing' : 'not described'}`)
      }
      return faults
    },
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')

function sharedParameter({ components }: Document, ref: string): Parameter {
  const parameter = components.parameters[ref.split('/').at(-1) ?? '']
  if (!parameter) throw new Error(`${ref} is not described`)
  return parameter
}

export type Description = ReturnType<typeof readDescription>
