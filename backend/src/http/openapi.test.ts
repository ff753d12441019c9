import { Validator } from '@seriousme/openapi-schema-validator'
import { operatorRoles, type OperatorRole, type Problem } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  readDescription,
  type Description,
  type DescribedOperation,
  type Document,
} from '../testing/description.ts'
import { startTestApp, type TestApp } from '../testing/app.ts'

/** The endpoints of the contract's first section. */
const CONTRACT = {
  token: ['POST /', 'POST /refresh/', 'POST /verify/'],
  utilisateurs: [
    ...['GET /', 'POST /', 'GET /{id}/', 'PUT /{id}/', 'DELETE /{id}/', 'GET /stats/'],
    ...['GET /{id}/sessions/', 'GET /{id}/can_create_session/', 'POST /{id}/revoke_consent/'],
  ],
  postes: [
    ...['GET /', 'POST /', 'GET /{id}/', 'PUT /{id}/', 'DELETE /{id}/', 'GET /disponibles/', 'GET /stats/'],
    ...['POST /{id}/heartbeat/', 'POST /{id}/marquer_disponible/', 'POST /{id}/marquer_maintenance/'],
    ...['POST /{id}/marquer_hors_ligne/', 'GET /{id}/session_active/'],
  ],
  sessions: [
    ...['GET /', 'POST /', 'GET /{id}/', 'PUT /{id}/', 'DELETE /{id}/', 'GET /actives/', 'GET /stats/'],
    ...['POST /validate_code/', 'POST /{id}/start/', 'POST /{id}/add_time/', 'POST /{id}/terminate/'],
    ...['POST /{id}/suspend/', 'POST /{id}/resume/', 'GET /{id}/time_remaining/'],
  ],
  logs: [
    ...['GET /', 'GET /{id}/', 'GET /stats/', 'GET /recent/', 'POST /search/', 'GET /by_session/'],
    'GET /errors/',
  ],
}

/** The other endpoints of the contract. */
const AROUND = {
  utilisateurs: [
    ...['PUT /{id}/photo/', 'GET /{id}/photo/', 'DELETE /{id}/photo/'],
    ...['GET /{id}/export/', 'POST /{id}/erase/'],
  ],
  comptes: ['GET /', 'POST /', 'GET /{id}/', 'PUT /{id}/', 'DELETE /{id}/', 'POST /{id}/renouveler/'],
  sessions: ['POST /{id}/give_credit/'],
  operateurs: ['GET /', 'POST /', 'GET /{id}/', 'PUT /{id}/', 'DELETE /{id}/'],
  postes: [
    ...['POST /{id}/boot_token/', 'POST /{id}/revoquer/'],
    ...['POST /enrol/', 'GET /demandes/', 'POST /demandes/{id}/accepter/', 'POST /demandes/{id}/refuser/'],
    ...['GET /commands/', 'POST /commands/', 'GET /commands/{id}/', 'POST /{id}/commands/'],
  ],
  rapports: ['GET /', 'GET /{id}/', 'GET /statistiques/'],
  parametres: [
    'GET /',
    'PUT /',
    'POST /taches/{name}/',
    'GET /blocages/',
    'DELETE /blocages/{id}/',
    'GET /cle_enrolement/',
    'POST /cle_enrolement/renouveler/',
  ],
}

const namesOf = (groups: Record<string, string[]>) =>
  Object.entries(groups).flatMap(([group, calls]) => calls.map((call) => call.replace(' ', ` /api/${group}`)))

/** Endpoints that need no token. Stations may send their credentials. */
const PUBLIC = [
  ...namesOf({ token: CONTRACT.token }),
  'POST /api/token/revoke/',
  'POST /api/postes/enrol/',
  'GET /healthz',
  'GET /readyz',
]

let test: TestApp
let document: Document
let description: Description

beforeAll(async () => {
  test = await startTestApp()
  document = (await test.call<Document>('GET', '/api/openapi.json', { token: null })).body
  description = readDescription(document)
})
afterAll(() => test.stop())

const nameOf = ({ method, path }: DescribedOperation) => `${method} ${path}`
const urlOf = ({ path }: DescribedOperation) => path.replace(/\{\w+\}/g, '1')
const isPublic = (operation: DescribedOperation) => PUBLIC.includes(nameOf(operation))

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    expect(await validator.validate(structuredClone({ ...document }))).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
  })

  it('contains each of the 45 endpoints of the specification, and the others', () => {
    const described = description.operations.map(nameOf)
    expect(namesOf(CONTRACT)).toHaveLength(45)
    expect(described).toEqual(expect.arrayContaining(namesOf(CONTRACT)))
    expect(described).toEqual(expect.arrayContaining(namesOf(AROUND)))
  })

  it('gives each operation a unique name, a summary and a described tag', () => {
    const tags = (document as unknown as { tags: { name: string }[] }).tags.map(({ name }) => name)
    const ids = description.operations.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const operation of description.operations) {
      expect(operation.summary, nameOf(operation)).toMatch(/^[A-Z]/)
      expect(tags, nameOf(operation)).toEqual(expect.arrayContaining(operation.tags!))
    }
  })

  it('has a valid example of each JSON body and answer', () => {
    for (const operation of description.operations) {
      const body = operation.requestBody?.content['application/json']
      if (body) {
        expect(body.example, nameOf(operation)).toBeDefined()
        expect(description.bodyFault(operation, body.example), nameOf(operation)).toBeUndefined()
      }
      const answers = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'))
      expect(answers, nameOf(operation)).not.toHaveLength(0)
      for (const [status, { content }] of answers) {
        if (status !== '204') expect(content, nameOf(operation)).toBeDefined()
        const media = content?.['application/json']
        if (!media) continue
        expect(media.example, nameOf(operation)).toBeDefined()
        const fault = description.exampleFault(operation, status, media.example)
        expect(fault, nameOf(operation)).toBeUndefined()
      }
    }
  })

  it('describes the refusals of each operation as problem+json with their codes', () => {
    for (const operation of description.operations) {
      const refusals = Object.entries(operation.responses).filter(([status]) => status >= '4')
      expect(refusals.length, nameOf(operation)).toBeGreaterThan(0)
      for (const [status, { content }] of refusals) {
        const media = content?.['application/problem+json']
        expect(media?.schema, nameOf(operation)).toEqual({ $ref: '#/components/schemas/Problem' })
        expect(Object.keys(media?.examples ?? {}), `${nameOf(operation)} ${status}`).not.toHaveLength(0)
      }
      const statuses = Object.keys(operation.responses)
      if (!isPublic(operation))
        expect(statuses, nameOf(operation)).toEqual(expect.arrayContaining(['401', '403']))
      if (operation.path.includes('{')) expect(statuses, nameOf(operation)).toContain('404')
      if (operation.requestBody)
        expect(statuses, nameOf(operation)).toEqual(expect.arrayContaining(['400', '422']))
    }
  })
})

describe('the page that documents the API', () => {
  it('is public, and loads only its own files', async () => {
    const page = await test.app.http.inject('/api/docs/')
    expect(page.statusCode).toBe(200)
    const policy = String(page.headers['content-security-policy'])
    expect(policy).toContain("default-src 'self'")
    expect(policy).toContain("script-src 'self';")
    const sources = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, source]) => new URL(source!, 'http://escale/api/docs/').pathname,
    )
    expect(sources.length).toBeGreaterThan(3)
    for (const source of sources) expect((await test.app.http.inject(source)).statusCode, source).toBe(200)
  })
})

describe('access', () => {
  it('is 401 without a token on every route but the public ones', async () => {
    for (const operation of description.operations) {
      const answer = await test.call<Problem>(operation.method, urlOf(operation), { token: null })
      if (isPublic(operation)) expect(answer.body.code, nameOf(operation)).not.toBe('unauthenticated')
      else expect(answer, nameOf(operation)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    }
  })

  it.each(operatorRoles)(
    'is given to the role %s exactly as the document says',
    async (role: OperatorRole) => {
      for (const operation of description.operations) {
        const roles = operation.security.flatMap(({ bearer }) => bearer ?? [])
        const isAllowed = isPublic(operation) || roles.includes(role)
        // The token of a disabled operator is refused, so each call has a new one, and no body that could change something.
        const token = await test.tokenOf(role)
        const answer = await test.call(operation.method, urlOf(operation), { token, body: '{' })
        expect(answer.status === 403, `${nameOf(operation)} ${answer.status}`).toBe(!isAllowed)
      }
    },
  )

  it('is given to a station with its secret exactly as the document says', async () => {
    await test.createStation('pc-01')
    const { basic } = await test.enrol('pc-01')
    for (const operation of description.operations) {
      const isAllowed = isPublic(operation) || operation.security.some(({ station }) => station)
      const url = operation.path.startsWith('/api/postes/{id}')
        ? operation.path.replace('{id}', 'pc-01')
        : urlOf(operation)
      const answer = await test.call(operation.method, url, { headers: basic, body: '{' })
      expect(answer.status === 403, `${nameOf(operation)} ${answer.status}`).toBe(!isAllowed)
    }
  })

  it.each(operatorRoles)(
    'is given to an automation account of role %s exactly as the document says',
    async (role: OperatorRole) => {
      const { id, secret } = await test.done<{ id: string; secret: string }>('POST', '/api/comptes/', {
        id: `auto-${role}`,
        kind: 'automation',
        label: 'Essai',
        role,
      })
      const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
      for (const operation of description.operations) {
        const roles = operation.security.flatMap(({ account }) => account ?? [])
        const isAllowed = isPublic(operation) || roles.includes(role)
        const sent = { headers: { authorization }, body: '{' }
        const answer = await test.call(operation.method, urlOf(operation), sent)
        expect(answer.status === 403, `${nameOf(operation)} ${answer.status}`).toBe(!isAllowed)
      }
    },
  )

  it('needs a role for changes, and an admin for what only an admin may do', () => {
    const roles = Object.fromEntries(
      description.operations.map((operation) => [
        nameOf(operation),
        operation.security.flatMap(({ bearer }) => bearer ?? []).at(-1),
      ]),
    )
    expect(roles).toMatchObject({
      'GET /api/postes/': 'viewer',
      'POST /api/postes/': 'admin',
      'POST /api/sessions/': 'operator',
      'POST /api/logs/search/': 'viewer',
      'PUT /api/parametres/': 'admin',
      'POST /api/utilisateurs/{id}/erase/': 'operator',
    })
  })
})
