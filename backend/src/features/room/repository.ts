import type { Presence, StationMetrics } from '@escale/protocol'
import type { Tables } from '../../db/database.ts'
import type { StationPresenceRow } from '../../db/rows.ts'
import type { StationPresence } from '../../domain/station.ts'

export type PresenceRepository = ReturnType<typeof createPresenceRepository>

/** The data of a station's connection without `online`, which another server may have changed. */
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

/** The presences of stations. */
export function createPresenceRepository({ models: { stationPresences }, scope }: Tables) {
  const save = async (presences: Map<string, StationPresence>, columns: (keyof StationPresenceRow)[]) => {
    const rows = [...presences].map(([stationId, presence]) => rowOf(stationId, presence))
    if (rows.length > 0) await stationPresences.bulkCreate(rows, { updateOnDuplicate: columns, ...scope() })
  }

  return {
    /** All stations by default. */
    async presences(stationIds?: readonly string[]): Promise<Map<string, StationPresence>> {
      const where = stationIds === undefined ? {} : { stationId: [...stationIds] }
      const rows = await stationPresences.findAll({ where, ...scope() })
      return new Map(rows.map((row) => [row.get().stationId, presenceOf(row.get())]))
    },
    /** Writes complete presences with one statement. */
    savePresences: (presences: Map<string, StationPresence>) => save(presences, ['online', ...toldColumns]),
    /** Writes everything except `online`. */
    saveTold: (presences: Map<string, StationPresence>) => save(presences, [...toldColumns]),
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
