import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arbitraryOf, spoilt, strangeValue, type Vocabulary } from '../testing/arbitrary.ts'
import {
  readDescription,
  type Description,
  type DescribedOperation,
  type Document,
  type JsonSchema,
} from '../testing/description.ts'
import { startTestApp, type TestApp } from '../testing/app.ts'

const SEED = 20_260_302
const RUNS = 25
/** These operations hash a password, which is slow by design. */
const SLOW = [
  'POST /api/token/',
  'POST /api/operateurs/',
  'PUT /api/operateurs/{id}/',
  'POST /api/operateurs/moi/mot_de_passe/',
]
const SLOW_RUNS = 6
/** Long enough for a busy machine. */
const TIMEOUT_MS = 120_000

const JSON_TYPE = 'application/json'

let test: TestApp
let description: Description
let words: Vocabulary
/** Existing ids, by the first word of their path. */
const known: Record<string, string[]> = {}

beforeAll(async () => {
  test = await startTestApp()
  const { body } = await test.call<Document>('GET', '/api/openapi.json', { token: null })
  description = readDescription(body)
  words = { schemas: body.components['schemas'] as Record<string, JsonSchema>, fields: fields() }
  const user = await test.createUser()
  const session = await test.startSession({ userId: user.id })
  const pending = await test.createSession()
  known['utilisateurs'] = [user.id, (await test.createUser()).id]
  known['postes'] = [session.stationId, (await test.createStation()).id]
  known['sessions'] = [session.id, pending.id]
  known['logs'] = ['1', '2', '3']
  known['operateurs'] = [test.operators.viewer]
})
afterAll(() => test.stop())

/** One of the existing ids. */
const oneOfKnown = (group: string) =>
  fc.nat().map((n) => {
    const ids = known[group] ?? []
    return ids[n % Math.max(1, ids.length)] ?? '1'
  })

const fields = () => ({
  userId: oneOfKnown('utilisateurs'),
  stationId: oneOfKnown('postes'),
  sessionId: oneOfKnown('sessions'),
  enrolmentKey: fc.constant(test.siteKey),
  macAddress: fc.nat(255).map((n) => `02-00-00-00-00-${n.toString(16).padStart(2, '0')}`),
  ipAddress: fc.nat(255).map((n) => `192.168.1.${n}`),
  timeZone: fc.constantFrom('Europe/Paris', 'Pacific/Apia', 'UTC'),
  openingHours: fc.constant(undefined),
})

/** An answer of the server; its body is parsed if it is JSON. */
async function ask(method: string, url: string, headers: Record<string, string>, payload?: string) {
  const response = await test.app.http.inject({
    method: method as 'GET',
    url,
    headers,
    ...(payload === undefined ? {} : { payload }),
  })
  const isJson = String(response.headers['content-type']).includes('json')
  const body: unknown = isJson ? JSON.parse(response.body) : response.body
  return { status: response.statusCode, headers: response.headers as Record<string, unknown>, body }
}

/** A request that is valid, or wrong in some of its parts. */
interface Attempt {
  path: Record<string, string>
  query: Record<string, string>
  /** The body as text; undefined for none. */
  payload: string | undefined
  headers: Record<string, string>
}

function attempts(operation: DescribedOperation): fc.Arbitrary<Attempt> {
  const group = operation.path.split('/')[2] ?? ''
  const among = (place: string) => operation.parameters.filter((parameter) => parameter.in === place)
  const path = among('path').map(({ name, schema }) => {
    const existing = known[group] ? [{ arbitrary: oneOfKnown(group), weight: 10 }] : []
    const strange = fc.constantFrom('%00', '%', '%zz', '...', '1e400', '-1', 'x'.repeat(101), '%F0%9F%8E%89')
    const fitting = arbitraryOf(schema, words).map((value) => encodeURIComponent(String(value)))
    return [
      name,
      fc.oneof(...existing, { arbitrary: fitting, weight: 2 }, { arbitrary: strange, weight: 1 }),
    ] as const
  })
  const query = among('query').map(({ name, schema }) => {
    const fitting = arbitraryOf(schema, words).map(String)
    const strange = strangeValue.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
    return [name, fc.oneof({ arbitrary: fitting, weight: 6 }, { arbitrary: strange, weight: 1 })] as const
  })
  const needed = among('query').filter(({ required }) => required === true)
  const schema = operation.requestBody?.content[JSON_TYPE]?.schema
  const right = schema ? arbitraryOf(schema, words) : fc.constant(undefined)
  const body = right.chain((value) =>
    fc.oneof(
      { arbitrary: fc.constant(value), weight: 1 },
      ...(schema ? [{ arbitrary: spoilt(value), weight: 1 }] : []),
    ),
  )
  const text = body.map((value) => (value === undefined ? undefined : JSON.stringify(value)))
  const payload = fc.oneof(
    { arbitrary: text, weight: 15 },
    { arbitrary: fc.constantFrom('', '{', '[1', '\ufeff{}', '{}x', 'null', '{"a":"\\u0000"}'), weight: 1 },
  )
  return fc
    .record({
      path: fc.record(Object.fromEntries(path)),
      query: fc
        .tuple(
          fc.record(Object.fromEntries(query)),
          fc.subarray(
            query.map(([name]) => name),
            { maxLength: Math.min(2, query.length) },
          ),
        )
        .map(([all, some]) => pick(all, [...some, ...needed.map(({ name }) => name)])),
      payload,
      type: often(JSON_TYPE, 'text/plain', 'image/png', 'application/json; charset=utf-16', 'nonsense'),
      authorization: often('admin', 'viewer', 'Bearer', 'Bearer a.b.c', 'Basic cGM6eA==', 'Digest'),
      ifMatch: fc.constantFrom(undefined, undefined, undefined, '*', '"1"', '"999"', 'W/"1"', 'nonsense'),
      language: fc.constantFrom(undefined, 'en', '*', 'de;q=0.9, en;q=abc', ';;q=,'),
    })
    .map(({ type, authorization, ifMatch, language, payload: sent, ...rest }) => {
      const text = operation.method === 'GET' ? undefined : sent
      const headers = {
        authorization,
        ...(text === undefined ? {} : { 'content-type': type }),
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
        ...(language === undefined ? {} : { 'accept-language': language }),
      }
      return { ...rest, payload: text, headers }
    })
}

const pick = (all: Record<string, string>, names: string[]) =>
  Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)))

const often = (usual: string, ...others: string[]) =>
  fc.oneof(
    { arbitrary: fc.constant(usual), weight: 20 },
    { arbitrary: fc.constantFrom(...others), weight: 1 },
  )

/** Whether the operation must refuse this body. */
function isWrong(operation: DescribedOperation, payload: string): boolean {
  try {
    // RFC 8259 allows a parser to ignore a byte order mark.
    const text = payload.replace(/^\ufeff/, '')
    const body: unknown = text === '' ? {} : JSON.parse(text)
    return description.bodyFault(operation, body) !== undefined
  } catch {
    return true
  }
}

async function tryOut(
  operation: DescribedOperation,
  { path, query, payload, headers }: Attempt,
): Promise<void> {
  const url = operation.path.replace(/\{(\w+)\}/g, (_all, name: string) => path[name] ?? '')
  const search = new URLSearchParams(query).toString()
  const { authorization = '', ...others } = headers
  const token =
    authorization === 'admin' || authorization === 'viewer' ? await test.tokenOf(authorization) : undefined
  const shown = token === undefined ? authorization : `Bearer ${token}`
  const sent = { authorization: shown, ...others }
  const answer = await ask(operation.method, search ? `${url}?${search}` : url, sent, payload)
  const told = `${operation.method} ${url}?${search} ${payload ?? ''} -> ${JSON.stringify(answer.body)}`
  expect(answer.status, told).toBeLessThan(500)
  // A random value in a path can match another route.
  if (description.find(operation.method, url) !== operation) return
  expect(description.faultsOf(operation, answer), told).toEqual([])
  const takesJson = operation.requestBody?.content[JSON_TYPE] !== undefined
  if (payload !== undefined && takesJson && isWrong(operation, payload))
    expect(answer.status, told).toBeGreaterThanOrEqual(400)
  const { id } = (answer.body ?? {}) as { id?: string | number }
  const group = operation.path.split('/')[2] ?? ''
  if (answer.status === 201 && id !== undefined) known[group]?.push(String(id))
}

/** Operations that delete come last. */
const endsMuch = ({ method, path }: DescribedOperation) =>
  Number(method === 'DELETE' || /erase|revoke|terminate/.test(path))

describe('generated requests', () => {
  it(
    'never cause an internal error, and every answer matches the OpenAPI document',
    async () => {
      for (const operation of description.operations.toSorted((a, b) => endsMuch(a) - endsMuch(b))) {
        const name = `${operation.method} ${operation.path}`
        const numRuns = SLOW.includes(name) ? SLOW_RUNS : RUNS
        await fc.assert(
          fc.asyncProperty(attempts(operation), (attempt) => tryOut(operation, attempt)),
          { seed: SEED, numRuns, endOnFailure: true },
        )
      }
      expect(test.errors()).toEqual([])
    },
    TIMEOUT_MS,
  )
})

describe('errors that generated requests have found', () => {
  it('shows the temperature of a broken sensor as the station sent it', async () => {
    const { id } = await test.createStation()
    await test.done('POST', `/api/postes/${id}/heartbeat`, { temperatureC: -127 })
    expect((await test.station(id)).metrics).toEqual({ temperatureC: -127 })
  })

  it('lists each format of the statistics', () => {
    const { responses } = description.find('GET', '/api/rapports/statistiques/')!
    expect(Object.keys(responses['200']!.content!)).toEqual(
      expect.arrayContaining(['application/json', 'text/csv', 'text/html']),
    )
  })
})
