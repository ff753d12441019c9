import { BEARER_SUBPROTOCOL_PREFIX } from '@escale/protocol'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { createPlaces } from '../../domain/places.ts'
import { languageOf } from '../../http/problem.ts'
import { serveLiveConnection, type LivePorts, type LiveRequest } from './connection.ts'

export { createAudience } from './audience.ts'

const config = { access: 'public' } as const

/** `/ws/sessions/` and `/ws/sessions/{id}/`: each connection shows its token itself. */
export function liveRoutes(given: Omit<LivePorts, 'places'>): FastifyPluginAsync {
  const ports = { ...given, places: createPlaces() }
  return async (app) => {
    app.get('/ws/sessions/', { config, websocket: true, schema: { hide: true } }, (socket, request) =>
      serveLiveConnection(socket, liveRequestOf(request, undefined), ports),
    )
    app.get<{ Params: { id: string } }>(
      '/ws/sessions/:id',
      { config, websocket: true, schema: { hide: true, params: Type.Object({ id: Type.String() }) } },
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
