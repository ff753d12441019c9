import type { Actor } from '@escale/protocol'
import { createBatchedWrites } from '../../db/batched-writes.ts'
import type { Database } from '../../db/database.ts'
import type { Room } from '../../domain/room.ts'
import type { StationPresence } from '../../domain/station.ts'
import type { Journal, LogEntry } from '../logs/index.ts'
import type { PresenceRepository } from './repository.ts'

/** Where many come or go at once, what they say is committed this often: their acknowledgement waits for it. */
export const CROWD_MS = 100

/** A station comes or goes, with what it told of itself by that. */
export interface OnlineChange {
  stationId: string
  online: boolean
  cause: string
  actor: Actor
  told?: Partial<StationPresence>
}

export interface KnownStations {
  /** Those of the given stations that exist. */
  knownIds(ids: readonly string[]): Promise<Set<string>>
}

export interface ComingAndGoingPorts {
  database: Database
  repository: Pick<PresenceRepository, 'presences' | 'savePresences'>
  stations: KnownStations
  /** A station that is heard is no longer marked offline. */
  unmarkOffline(stationId: string): Promise<void>
  room: Pick<Room, 'station' | 'changePresence'>
  journal: Journal
  /** Whether other servers may have said so already. */
  hasPeers: boolean
  /** Called for each change once the room has it; one that was known already is not news. */
  onChanged(change: OnlineChange, isNews: boolean): void
}

/**
 * Commits that stations come and go: those that do so while a write is under way share the next one, so that a whole
 * room which connects at once takes a few transactions.
 */
export function createComingAndGoing(ports: ComingAndGoingPorts) {
  const { database, repository, stations, unmarkOffline, room, journal, hasPeers, onChanged } = ports
  /** How many changes of each station are not committed yet. */
  const uncommitted = new Map<string, number>()

  /** Those of the changes that say something new of stations that exist, in order. */
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
    /** Whether something that a station said of this is not committed yet. */
    isChanging: (stationId: string): boolean => uncommitted.has(stationId),

    /** Resolves once the change is committed, with those that wait for the same write. */
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

    /** The same as part of the write under way. */
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
