import type { Actor } from '@escale/protocol'
import { createBatchedWrites } from '../../db/batched-writes.ts'
import type { Database } from '../../db/database.ts'
import type { Room } from '../../domain/room.ts'
import type { StationPresence } from '../../domain/station.ts'
import type { Journal, LogEntry } from '../logs/index.ts'
import type { PresenceRepository } from './repository.ts'

/** Where many come or go at once, what they say is committed this often: their acknowledgement waits for it. */
export const CROWD_MS = 100

/** A station comes online or goes offline, with its presence data. */
export interface OnlineChange {
  stationId: string
  online: boolean
  cause: string
  actor: Actor
  told?: Partial<StationPresence>
}

export interface KnownStations {
  /** The given stations that exist. */
  knownIds(ids: readonly string[]): Promise<Set<string>>
}

export interface ComingAndGoingPorts {
  database: Database
  repository: Pick<PresenceRepository, 'presences' | 'savePresences'>
  stations: KnownStations
  /** Removes the mark "offline" of a station that has sent something. */
  unmarkOffline(stationId: string): Promise<void>
  room: Pick<Room, 'station' | 'changePresence'>
  journal: Journal
  /** Whether other servers may have reported the change already. */
  hasPeers: boolean
  /** Called for each new change when it is in the room. */
  onChanged(change: OnlineChange, isNews: boolean): void
}

/**
 * Commits changes of presence. Changes that arrive during a write share the next one, so that many stations that
 * connect at once need only a few transactions.
 */
export function createComingAndGoing(ports: ComingAndGoingPorts) {
  const { database, repository, stations, unmarkOffline, room, journal, hasPeers, onChanged } = ports
  /** Number of uncommitted changes of each station. */
  const uncommitted = new Map<string, number>()

  /** The changes that are new and about existing stations, in order. */
  async function newOnes(changes: readonly OnlineChange[]): Promise<OnlineChange[]> {
    const ids = changes.map(({ stationId }) => stationId)
    const known = hasPeers ? await stations.knownIds(ids) : undefined
    const saved = hasPeers ? await repository.presences(ids) : new Map<string, StationPresence>()
    const online = new Map<string, boolean>()
    return changes.filter(({ stationId, online: isOnline }) => {
      const station = room.station(stationId)
      if (!station || known?.has(stationId) === false) return false
      const before = online.get(stationId) ?? (saved.get(stationId) ?? station.presence).online
      online.set(stationId, isOnline)
      return before !== isOnline
    })
  }

  async function commit(changes: readonly OnlineChange[]): Promise<void> {
    const news = await newOnes(changes)
    const presences = new Map<string, StationPresence>()
    for (const { stationId, online, told } of news) {
      const before = presences.get(stationId) ?? room.station(stationId)?.presence
      if (before) presences.set(stationId, { ...before, ...told, online })
    }
    await repository.savePresences(presences)
    for (const { stationId, online } of news)
      if (online && room.station(stationId)?.record.isMarkedOffline) await unmarkOffline(stationId)
    if (news.length > 0) await journal.append(...news.map(entryOf))
    database.afterCommit(() => {
      for (const change of changes) {
        const { stationId, online, told } = change
        room.changePresence(stationId, { ...told, online })
        onChanged(change, news.includes(change))
      }
    })
  }

  const together = createBatchedWrites(database, commit, { crowdMs: CROWD_MS })

  return {
    /** Whether a change of the station is not committed yet. */
    isChanging: (stationId: string): boolean => uncommitted.has(stationId),

    /** Resolves when the change is committed, together with others that wait. */
    async change(change: OnlineChange): Promise<void> {
      const { stationId } = change
      uncommitted.set(stationId, (uncommitted.get(stationId) ?? 0) + 1)
      try {
        await together.add(change)
      } finally {
        const others = (uncommitted.get(stationId) ?? 1) - 1
        if (others === 0) uncommitted.delete(stationId)
        else uncommitted.set(stationId, others)
      }
    },

    /** The same inside the current write. */
    changeWithin: (change: OnlineChange): Promise<void> => commit([change]),

    /** Resolves once nothing waits to be committed any more. */
    settled: together.settled,
  }
}

function entryOf({ stationId, online, cause, actor }: OnlineChange): LogEntry {
  const action = online ? 'station.online' : 'station.offline'
  const level = cause === 'lost' || cause === 'silent' ? 'warning' : 'info'
  return { action, level, actor, stationId, details: { cause } }
}
