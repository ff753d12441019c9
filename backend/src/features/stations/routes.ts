import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  FreeStationQuery,
  HeartbeatInput,
  ReasonInput,
  Session,
  Station,
  StationId,
  StationInput,
  StationPage,
  StationQuery,
  StationReplacement,
  StationStats,
  closed,
} from '@escale/protocol'
import { Type } from 'typebox'
import type { Clock } from '../../clock.ts'
import { AppError } from '../../errors.ts'
import { expectedVersionOf, sendVersioned, versioned } from '../../http/etag.ts'
import { listAnswer } from '../../http/page.ts'
import { actorOf } from '../../http/guard.ts'
import { toSession, type SessionService } from '../sessions/index.ts'
import type { Presences } from './presence.ts'
import type { StationCredentials } from './credentials.ts'
import type { StationService } from './service.ts'

const read = { access: 'viewer' } as const
const write = { access: 'operator' } as const
const admin = { access: 'admin' } as const
const tags = ['postes']
const params = Type.Object({ id: StationId })
const one = { 200: Station }

export interface StationRoutePorts {
  credentials: Pick<StationCredentials, 'revokeSecret'>
  stations: StationService
  presences: Presences
  sessions: Pick<SessionService, 'findRunningAt'>
  clock: Clock
}

export function stationRoutes({
  credentials,
  stations,
  presences,
  sessions,
  clock,
}: StationRoutePorts): FastifyPluginAsyncTypebox {
  return async (app) => {
    const listed = { tags, response: { 200: StationPage } }
    const all = { summary: 'Stations', querystring: StationQuery, ...listed }
    app.get('/', { config: read, schema: all }, (request) => listAnswer(request, stations.list))
    app.post(
      '/',
      {
        config: admin,
        schema: {
          tags,
          summary: 'Add a station',
          sendsVersion: true,
          errors: ['duplicate'],
          body: StationInput,
          response: { 201: Station },
        },
      },
      async (request, reply) => {
        await stations.create(request.body, actorOf(request))
        const { station, version } = await stations.view(request.body.id)
        return sendVersioned(reply.code(201), version, station)
      },
    )
    app.get(
      '/disponibles',
      {
        config: read,
        schema: { summary: 'Stations that are free', querystring: FreeStationQuery, ...listed },
      },
      (request) =>
        listAnswer(request, (filter, query) => stations.list({ ...filter, state: 'available' }, query)),
    )
    app.get(
      '/stats',
      { config: read, schema: { tags, summary: 'Counts', response: { 200: StationStats } } },
      () => stations.stats(),
    )
    app.get(
      '/:id',
      { config: read, schema: { tags, summary: 'One station', sendsVersion: true, params, response: one } },
      async (request, reply) => {
        const { station, version } = await stations.view(request.params.id)
        return sendVersioned(reply, version, station)
      },
    )
    app.put(
      '/:id',
      {
        config: admin,
        schema: {
          tags,
          summary: 'Replace a station',
          ...versioned,
          errors: ['duplicate'],
          params,
          body: StationReplacement,
          response: one,
        },
      },
      async (request, reply) => {
        const { id } = request.params
        await stations.replace(id, request.body, actorOf(request), expectedVersionOf(request))
        const { station, version } = await stations.view(id)
        return sendVersioned(reply, version, station)
      },
    )
    app.delete(
      '/:id',
      {
        config: admin,
        schema: {
          tags,
          summary: 'Remove a station',
          takesVersion: true,
          params,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        await stations.remove(request.params.id, actorOf(request), expectedVersionOf(request))
        return reply.code(204).send(null)
      },
    )
    app.post(
      '/:id/heartbeat',
      {
        config: { ...write, isOpenToStations: true },
        // A body that does not fit is refused all the same; that the station itself sent one is a sign of life.
        attachValidation: true,
        schema: {
          tags,
          summary: 'Figures of a station without MQTT',
          params,
          body: HeartbeatInput,
          response: one,
        },
      },
      async (request) => {
        const { type, id: callerId } = actorOf(request)
        const { id, label } = await stations.get(request.params.id)
        if (type === 'station' && callerId !== id) throw new AppError('forbidden')
        // An operator who speaks for a station says nothing of where that station is.
        const ip = type === 'station' ? request.ip : ''
        const actor = { type: 'station', id, label } as const
        if (request.validationError) {
          if (type === 'station') await presences.takeSign(actor, ip)
          throw request.validationError
        }
        await presences.takeHeartbeat(request.body, actor, ip)
        return (await stations.view(id)).station
      },
    )
    app.post(
      '/:id/revoquer',
      {
        config: admin,
        schema: {
          tags,
          summary: 'Take the station’s secret away; it must be accepted again',
          params,
          body: closed({}),
          response: one,
        },
      },
      async (request) => {
        const { id } = request.params
        await credentials.revokeSecret(id, actorOf(request))
        return (await stations.view(id)).station
      },
    )
    const marks = {
      marquer_disponible: ['available', 'End maintenance'],
      marquer_maintenance: ['maintenance', 'Take out of service'],
      marquer_hors_ligne: ['offline', 'Count as offline until next heard'],
    } as const
    for (const [path, [mark, summary]] of Object.entries(marks)) {
      app.post(
        `/:id/${path}`,
        {
          config: write,
          schema: {
            tags,
            summary,
            ...versioned,
            errors: ['session-active'],
            params,
            body: ReasonInput,
            response: one,
          },
        },
        async (request, reply) => {
          const { id } = request.params
          const expectedVersion = expectedVersionOf(request)
          await stations.mark(id, actorOf(request), mark, { reason: request.body.reason, expectedVersion })
          const { station, version } = await stations.view(id)
          return sendVersioned(reply, version, station)
        },
      )
    }
    app.get(
      '/:id/session_active',
      {
        config: read,
        schema: {
          tags,
          summary: 'The session there',
          sendsVersion: true,
          errors: ['no-active-session'],
          params,
          response: { 200: Session },
        },
      },
      async (request, reply) => {
        await stations.get(request.params.id)
        const session = await sessions.findRunningAt(request.params.id)
        if (!session) throw new AppError('no-active-session')
        return sendVersioned(reply, session.version, toSession(session, clock.nowMs()))
      },
    )
  }
}
