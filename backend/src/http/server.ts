import type { Broker } from '@escale/broker'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
} from 'fastify'
import { PUBLIC_BODY_BYTES, registerBodies } from './bodies.ts'
import { registerCaching } from './caching.ts'
import { registerClientAddress } from './client-address.ts'
import { registerEndpoints, type ServedGroup } from './endpoints.ts'
import { registerGuard, type GuardPorts } from './guard.ts'
import { registerNotFound } from './not-found.ts'
import { registerOpenApi } from './openapi.ts'
import { registerPages } from './pages.ts'
import { handleFailure, refuseConnection, registerClosing, registerProblems } from './problem.ts'
import { registerSecurityHeaders } from './security-headers.ts'
import { serverOptions } from './server-options.ts'
import { answersOptions, registerValidation } from './validation.ts'
import { registerWebSockets } from './websocket.ts'

export interface HttpServerPorts {
  /** The groups of the REST API. */
  endpoints: readonly ServedGroup[]
  /** Routes that are not endpoints of the API. */
  routes: readonly FastifyPluginAsync[]
  guard: GuardPorts
  broker: Pick<Broker, 'handleWebSocket'>
  /** Built pages of the admin. */
  adminDir: string
  /** Public origin of the site, if it differs from the address of the server. */
  publicOrigin?: string
  /** Proxies whose forwarding headers are trusted. */
  trustedProxies?: string
  log: FastifyBaseLogger
}

/** The HTTP server with all its routes. It does not listen yet. */
export async function createHttpServer(ports: HttpServerPorts): Promise<FastifyInstance> {
  const http = Fastify({
    loggerInstance: ports.log,
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { ignoreTrailingSlash: true },
    http: serverOptions,
    requestTimeout: serverOptions.requestTimeout,
    forceCloseConnections: true,
    // Limit for unknown routes. Each endpoint has its own limit.
    bodyLimit: PUBLIC_BODY_BYTES,
    serializerOpts: answersOptions,
    // Errors while closing and malformed requests are also answered as problem+json.
    return503OnClosing: false,
    clientErrorHandler: refuseConnection,
    frameworkErrors: (err, request, reply) => void handleFailure(err, request, reply),
  })
  registerSecurityHeaders(http)
  registerClientAddress(http, ports.trustedProxies)
  registerCaching(http)
  registerClosing(http)
  registerValidation(http)
  registerBodies(http)
  registerProblems(http)
  registerGuard(http, ports.guard)
  registerNotFound(http)
  await registerPages(http, ports.adminDir)
  await registerOpenApi(http)
  await registerWebSockets(http, ports.broker, ports.publicOrigin)
  await registerEndpoints(http, ports.endpoints)
  for (const plugin of ports.routes) await http.register(plugin)
  return http
}
