import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Problem } from '@escale/protocol'
import type { FastifyInstance, RouteOptions } from 'fastify'
import packageJson from '../../package.json' with { type: 'json' }
import { createSchemas, describeOperation, exampleRefs, problemExamples } from './operations.ts'

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
      description:
        'An automation’s id, and its secret. The roles that a route is open to are listed with it.',
    },
    station: { type: 'http', scheme: 'basic', description: 'A station’s id, and its own secret.' },
  },
  parameters: {
    IfMatch: {
      name: 'If-Match',
      in: 'header',
      required: false,
      // Without an example: a page to try the API would send it.
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

/** The description of the API at `/api/openapi.json`, derived from the routes, and a page to try it. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  const routes = new Map<string, RouteOptions>()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Escale',
        version: packageJson.version,
        description,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'This server.' }],
      tags,
    },
    transform({ schema, url, route }) {
      const path = pathOf(url)
      routes.set(`${String(route.method).toLowerCase()} ${path}`, route)
      return { schema, url: path }
    },
    transformObject(input) {
      if (!('openapiObject' in input)) throw new Error('not an OpenAPI document')
      const { openapiObject: document } = input
      const schemas = createSchemas()
      schemas.refer(Problem)
      const paths = Object.entries(document.paths ?? {}).map(([path, item]) => {
        const operations = Object.entries<unknown>(item ?? {}).map(([method, operation]) => {
          const route = routes.get(`${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`)
          return [method, route ? describeOperation(operation as object, route, schemas) : operation]
        })
        return [path, Object.fromEntries(operations)] as const
      })
      return {
        ...document,
        paths: Object.fromEntries(paths),
        components: { ...components, schemas: schemas.components, examples: problemExamples() },
      }
    },
  })
  app.get(DOCUMENT_URL, { config: { access: 'public' }, schema: { hide: true } }, () => app.swagger())
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

/** The page's own: our files alone, no code in strings; its icons are `data:`, its library writes styles inline. */
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

/** Paths of the API end with a slash in the contract, unless they name a file. */
const pathOf = (url: string) => (/^\/api\/[^.]*[^/.]$/.test(url) ? `${url}/` : url)
