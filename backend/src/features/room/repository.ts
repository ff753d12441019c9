import { Op } from 'sequelize'
import type { Presence, StationMetrics } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { StationPresenceRow } from '../../db/rows.ts'
import { toSessionRecord } from '../../db/session-record.ts'
import type { SessionRecord } from '../../domain/session-record.ts'
import type { StationPresence, StationRecord } from '../../domain/station.ts'

export type RoomRepository = ReturnType<typeof createRoomRepository>

/** What a station's connection tells, but for whether it is online: another server may have changed that meanwhile. */
const toldColumns = [
  'lastHeardAtMs',
  'lastHeartbeatAtMs',
  'lastSeenIp',
  'bootId',
  'connectionSeq',
  'agentVersion',
  'os',
  'reportedState',
  'reportedVersion',
  'metrics',
  'presence',
] as const satisfies (keyof StationPresenceRow)[]

/** The room as the database has it. */
export function createRoomRepository({ models, scope }: Tables) {
  const { stations, stationPresences, sessions } = models
  const save = async (presences: Map<string, StationPresence>, columns: (keyof StationPresenceRow)[]) => {
    const rows = [...presences].map(([stationId, presence]) => rowOf(stationId, presence))
    if (rows.length > 0) await stationPresences.bulkCreate(rows, { updateOnDuplicate: columns, ...scope() })
  }

  return {
    /** All stations by default. */
    async stations(ids?: readonly string[]): Promise<StationRecord[]> {
      const rows = await stations.findAll({ ...(ids && { where: { id: [...ids] } }), ...scope() })
      return rows.map((row) => row.get())
    },
    /** Those of the given stations that exist. */
    async knownIds(ids: readonly string[]): Promise<Set<string>> {
      const rows = await stations.findAll({ attributes: ['id'], where: { id: [...ids] }, ...scope() })
      return new Set(rows.map((row) => row.get().id))
    },
    async presences(stationIds?: readonly string[]): Promise<Map<string, StationPresence>> {
      const where = stationIds === undefined ? {} : { stationId: [...stationIds] }
      const rows = await stationPresences.findAll({ where, ...scope() })
      return new Map(rows.map((row) => [row.get().stationId, presenceOf(row.get())]))
    },
    /** Writes presences whole, in one statement. */
    savePresences: (presences: Map<string, StationPresence>) => save(presences, ['online', ...toldColumns]),
    /** Writes all but whether a station is online. */
    saveTold: (presences: Map<string, StationPresence>) => save(presences, [...toldColumns]),
    /** The sessions that have not ended. */
    async unendedSessions(): Promise<SessionRecord[]> {
      const rows = await sessions.findAll({ where: { state: { [Op.ne]: 'ended' } }, ...scope() })
      return rows.map((row) => toSessionRecord(row.get()))
    },
    /** Those of the given sessions that are kept. */
    async sessions(ids: readonly string[]): Promise<Map<string, SessionRecord>> {
      if (ids.length === 0) return new Map()
      const rows = await sessions.findAll({ where: { id: [...ids] }, ...scope() })
      return new Map(rows.map((row) => [row.get().id, toSessionRecord(row.get())]))
    },
  }
}

function presenceOf({ stationId: _id, metrics, presence, ...told }: StationPresenceRow): StationPresence {
  return {
    ...told,
    metrics: metrics === null ? null : (JSON.parse(metrics) as StationMetrics),
    presence: presence === null ? null : (JSON.parse(presence) as Presence),
  }
}

function rowOf(stationId: string, { metrics, presence, ...told }: StationPresence): StationPresenceRow {
  return {
    stationId,
    ...told,
    metrics: metrics && JSON.stringify(metrics),
    presence: presence && JSON.stringify(presence),
  }
}
