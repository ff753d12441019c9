import { restApi } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import { filterOf } from '../../db/page-window.ts'
import { AppError } from '../../errors.ts'
import { serve, type Call } from '../../http/endpoints.ts'
import type { Presences, RoomStore } from '../room/index.ts'
import { toSession } from '../sessions/index.ts'
import type { StationCredentials } from './credentials.ts'
import type { Mark, StationService } from './service.ts'
import { stationJson } from './view.ts'

export interface StationEndpointPorts {
  credentials: Pick<StationCredentials, 'revokeSecret'>
  stations: StationService
  presences: Pick<Presences, 'takeHeartbeat' | 'noteContact'>
  room: Pick<RoomStore, 'runningAt'>
  clock: Clock
}

export function stationEndpoints(ports: StationEndpointPorts) {
  const { credentials, stations, presences, room, clock } = ports

  const list = (...asked: Parameters<StationService['list']>) => ({
    ...stations.list(...asked),
    jsonOf: stationJson,
  })

  async function withVersion(id: string) {
    const { station, version } = await stations.view(id)
    return { version, body: station }
  }

  const markAs =
    (mark: Mark) =>
    async ({ params, body, actor, expectedVersion }: Call<typeof restApi.stations.markOffline>) => {
      const marked = await stations.mark(params.id, actor, mark, { reason: body.reason, expectedVersion })
      const shown = await stations.view(params.id)
      // Inside a larger write, the change is not committed and the room still has the old version.
      const { station, version } = shown.version < marked.version ? marked : shown
      return { version, body: station }
    }

  return serve(restApi.stations, {
    list: ({ query }) => list(filterOf(query), query),
    listFree: ({ query }) => list({ ...filterOf(query), state: 'available' }, query),
    stats: () => stations.stats(),
    read: ({ params }) => withVersion(params.id),
    create: async ({ body, actor }) => {
      await stations.create(body, actor)
      return withVersion(body.id)
    },
    replace: async ({ params, body, actor, expectedVersion }) => {
      await stations.replace(params.id, body, actor, expectedVersion)
      return withVersion(params.id)
    },
    remove: ({ params, actor, expectedVersion }) => stations.remove(params.id, actor, expectedVersion),
    heartbeat: async ({ params, body, actor: { type, id: callerId }, ip, fault }) => {
      const { id, label } = (await stations.view(params.id)).station
      const isItself = type === 'station'
      if (isItself && callerId !== id) throw new AppError('forbidden')
      // If an operator calls for a station, the address is not the station's.
      const from = isItself ? ip : ''
      const station = { type: 'station', id, label } as const
      if (fault) {
        if (isItself) await presences.noteContact(station, from)
        throw fault
      }
      await presences.takeHeartbeat(body, station, from)
      return (await stations.view(id)).station
    },
    revokeSecret: async ({ params, actor }) => {
      await credentials.revokeSecret(params.id, actor)
      return (await stations.view(params.id)).station
    },
    markAvailable: markAs('available'),
    markMaintenance: markAs('maintenance'),
    markOffline: markAs('offline'),
    readSession: async ({ params }) => {
      await stations.view(params.id)
      const session = room.runningAt(params.id)
      if (!session) throw new AppError('no-active-session')
      return { version: session.version, body: toSession(session, clock.nowMs()) }
    },
  })
}
