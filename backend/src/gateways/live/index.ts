import { BEARER_SUBPROTOCOL_PREFIX } from '@escale/protocol'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Feature } from '../../features/feature.ts'
import { languageOf } from '../../http/problem.ts'
import { createAudience, type AudiencePorts } from './audience.ts'
import {
  createScreenPlaces,
  serveLiveConnection,
  type ConnectionPorts,
  type LiveRequest,
} from './connection.ts'

export type LivePorts = AudiencePorts & Pick<ConnectionPorts, 'auth' | 'sessions' | 'codes'>

/** Live screens over WebSocket. */
export function createLive(ports: LivePorts) {
  const audience = createAudience(ports)
  return {
    service: audience,
    routes: liveRoutes({ ...ports, audience, places: createScreenPlaces() }),
    stop: audience.close,
  } satisfies Feature
}

/** The routes are public, because each connection checks its token itself. */
function liveRoutes(ports: ConnectionPorts): FastifyPluginAsync {
  return async (app) => {
    const options = { config: { access: 'public' }, websocket: true, schema: { hide: true } } as const
    app.get('/ws/sessions/', options, (socket, request) =>
      serveLiveConnection(socket, liveRequestOf(request, undefined), ports),
    )
    const params = Type.Object({ id: Type.String() })
    app.get<{ Params: { id: string } }>(
      '/ws/sessions/:id',
      { ...options, schema: { hide: true, params } },
      (socket, request) => serveLiveConnection(socket, liveRequestOf(request, request.params.id), ports),
    )
  }
}

function liveRequestOf(request: FastifyRequest<object>, sessionId: string | undefined): LiveRequest {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  const token = offered.find((name) => name.startsWith(BEARER_SUBPROTOCOL_PREFIX))
  return {
    sessionId,
    token: token?.slice(BEARER_SUBPROTOCOL_PREFIX.length),
    ip: request.ip,
    language: languageOf(request),
    log: request.log,
  }
}
