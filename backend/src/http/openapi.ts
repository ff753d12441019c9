import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Problem, restApi, type Endpoints } from '@escale/protocol'
import type { FastifyInstance } from 'fastify'
import packageJson from '../../package.json' with { type: 'json' }
import { createSchemas, exampleRefs, operationOf, problemExamples, type Operation } from './operations.ts'

const DOCUMENT_URL = '/api/openapi.json'
const DOCS_URL = '/api/docs'

const description = `
Escale manages public computers: libraries, *espaces publics numériques*, cybercafés.

Paths keep French names; everything else is English. A trailing slash is optional.

| path | meaning |
|---|---|
| \`utilisateurs\` | users: the visitors |
| \`postes\` | stations: the public computers |
| \`disponibles\` | stations that are free |
| \`marquer_disponible\`, \`marquer_maintenance\`, \`marquer_hors_ligne\` | mark a station available, under maintenance, offline |
| \`session_active\`, \`actives\` | the session in progress at a station, all of those in progress |
| \`comptes\`, \`renouveler\` | accounts: logins of machines; draw another secret |
| \`cle_enrolement\`, \`revoquer\` | the site key of enrolment; take a station’s secret away |
| \`demandes\`, \`accepter\`, \`refuser\` | stations that ask to be accepted; accept, refuse one |
| \`operateurs\` | operators: the staff |
| \`rapports\`, \`statistiques\` | daily reports, statistics |
| \`parametres\`, \`taches\`, \`blocages\` | settings, tasks of the calendar, blocks after wrong tries |

Sign in with \`POST /api/token/\` and send the answer's \`access\` as \`Authorization: Bearer\`. Errors are
RFC 9457 \`application/problem+json\`, in French unless \`Accept-Language\` prefers English; branch on \`code\`.
A method that a path does not have answers 405 with \`Allow\`. Instants are RFC 3339 UTC.
`

const tags = [
  { name: 'auth', description: 'Sign in, renew and verify tokens.' },
  { name: 'utilisateurs', description: 'Users (visitors): their files, consent, photos and rights.' },
  { name: 'postes', description: 'Stations (public computers): their state, heartbeat and enrolment.' },
  {
    name: 'sessions',
    description: 'Sessions: time granted to a user on a station, opened by an access code.',
  },
  { name: 'logs', description: 'The journal: audit records, read-only and chained by hash.' },
  { name: 'operateurs', description: 'Operators (staff) and their roles.' },
  { name: 'comptes', description: 'Accounts (logins of machines) and their secrets.' },
  { name: 'rapports', description: 'Daily reports and statistics.' },
  { name: 'parametres', description: 'Settings of the site, and the tasks of its calendar.' },
  { name: 'service', description: 'Whether the server lives and can serve.' },
]

const text = { type: 'string' } as const
const components = {
  securitySchemes: {
    bearer: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'An operator’s access token. The roles that a route is open to are listed with it.',
    },
    account: {
      type: 'http',
      scheme: 'basic',
      description: 'The id of an account of kind netboot, and its secret.',
    },
    station: { type: 'http', scheme: 'basic', description: 'A station’s id, and its own secret.' },
  },
  parameters: {
    IfMatch: {
      name: 'If-Match',
      in: 'header',
      required: false,
      // No example, because the page that tries the API would send it.
      description: 'The `ETag` that you have seen, such as `"3"`; another version answers 412.',
      schema: text,
    },
  },
  headers: {
    ETag: { description: 'The version of the resource.', schema: text, example: '"3"' },
    'Retry-After': {
      description: 'Seconds until the same call may succeed.',
      schema: { type: 'integer', minimum: 0 },
      example: 30,
    },
    'WWW-Authenticate': { description: 'How to sign in.', schema: text, example: 'Bearer' },
    Allow: { description: 'The methods that the path has.', schema: text, example: 'GET, HEAD, POST' },
  },
  responses: {
    MethodNotAllowed: {
      description: 'A known path without this method, on any path.',
      headers: { Allow: { $ref: '#/components/headers/Allow' } },
      content: {
        'application/problem+json': {
          schema: { $ref: '#/components/schemas/Problem' },
          examples: exampleRefs(['method-not-allowed']),
        },
      },
    },
  },
} as const

/** The description of the REST API. */
export function describeApi(groups: readonly Endpoints[]) {
  const schemas = createSchemas()
  schemas.refer(Problem)
  const paths: Record<string, Record<string, Operation>> = {}
  for (const endpoint of groups.flatMap((group) => Object.values(group))) {
    paths[endpoint.path] ??= {}
    Object.assign(paths[endpoint.path] ?? {}, {
      [endpoint.method.toLowerCase()]: operationOf(endpoint, schemas),
    })
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Escale',
      version: packageJson.version,
      description,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'This server.' }],
    tags,
    paths,
    components: { ...components, schemas: schemas.components, examples: problemExamples() },
  }
}

/** Serves the description at `/api/openapi.json` and a page to try the API. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  const document = describeApi(Object.values(restApi))
  await app.register(swagger, { mode: 'static', specification: { document: document as never } })
  app.get(DOCUMENT_URL, { config: { access: 'public' } }, () => document)
  await app.register(swaggerUi, {
    routePrefix: DOCS_URL,
    uiConfig: {
      layout: 'BaseLayout',
      tryItOutEnabled: true,
      docExpansion: 'none',
      defaultModelsExpandDepth: 0,
    },
    theme: { title: 'Escale · API' },
    staticCSP: docsPolicy,
  })
}

/** Only our own files. Its library uses `data:` icons and inline styles. */
const docsPolicy = {
  'default-src': ["'self'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
}
