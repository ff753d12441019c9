import type { Actor, Heartbeat, Presence, Reported } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Bus } from '../../bus/port.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { StationPresenceRow } from '../../db/rows.ts'
import { isStalePresence } from '../../domain/presence.ts'
import type { AppEvents } from '../../events.ts'
import { systemActor, type Journal } from '../logs/index.ts'
import type { Rates } from '../rates/index.ts'
import type { Settings } from '../settings/index.ts'
import { createFigures } from './figures.ts'
import type { StationRepository } from './repository.ts'
import { createSilenceWatch } from './silence.ts'

export type Presences = ReturnType<typeof createPresences>

/** What is known of each station's connection: in memory while it changes, in the database once a second. */
export function createPresences(ports: {
  database: Database
  repository: StationRepository
  bus: Bus
  journal: Journal
  events: AppEvents
  settings: Settings
  rates: Pick<Rates, 'allows'>
  clock: Clock
  log: Logger
}) {
  const { database, repository, bus, journal, events, rates, clock, log } = ports
  const rows = new Map<string, StationPresenceRow>()
  const last = new Map<string, Presence>()
  /** Stations whose coming or going is being committed, and how many of these changes wait. */
  const changing = new Map<string, number>()
  const { saveSoon, saveNow, ...figures } = createFigures(rows, ports)
  const silence = createSilenceWatch(rows, ports, () => void markSilent())

  const rowOf = (stationId: string): StationPresenceRow => {
    const row = rows.get(stationId) ?? unknownPresence(stationId)
    rows.set(stationId, row)
    return row
  }

  /** Any accepted message proves that the station is there. */
  function heard(stationId: string, ip: string): StationPresenceRow {
    const row = rowOf(stationId)
    row.lastHeardAtMs = clock.nowMs()
    if (ip) row.lastSeenIp = ip
    saveSoon(stationId)
    return row
  }

  /** Commits that a station came or went, with its cause. */
  async function changeOnline(
    stationId: string,
    online: boolean,
    cause: string,
    actor: Actor,
  ): Promise<void> {
    // A room that comes back after a restart says what is known: a write each would keep it waiting.
    if (rowOf(stationId).online === online && !changing.has(stationId)) return
    changing.set(stationId, (changing.get(stationId) ?? 0) + 1)
    try {
      await commitOnline(stationId, online, cause, actor)
    } finally {
      const others = (changing.get(stationId) ?? 1) - 1
      if (others === 0) changing.delete(stationId)
      else changing.set(stationId, others)
    }
    silence.wait()
  }

  function commitOnline(stationId: string, online: boolean, cause: string, actor: Actor): Promise<void> {
    return database.write(async () => {
      const row = rowOf(stationId)
      if (row.online === online) return
      const station = await repository.find(stationId)
      if (!station) {
        rows.delete(stationId)
        return
      }
      // Another server may have said so already.
      const [saved] = await repository.presences([stationId])
      if (saved?.online === online) {
        row.online = online
        return
      }
      await repository.savePresences([{ ...row, online }])
      if (online && station.isMarkedOffline) await repository.update(stationId, { isMarkedOffline: false })
      const action = online ? 'station.online' : 'station.offline'
      const level = cause === 'lost' || cause === 'silent' ? 'warning' : 'info'
      await journal.append({ action, level, actor, stationId, details: { cause } })
      database.afterCommit(() => {
        row.online = online
        const presence = last.get(stationId)
        if (presence && cause === 'silent') {
          void bus.publish('presence', stationId, { ...presence, online, cause })
        }
        // What had been said of its silence is no longer so.
        if (presence && online && cause !== 'birth') {
          void bus.publish('presence', stationId, { ...presence, online, cause: 'birth' })
        }
        events.emit({ type: 'stationChanged', stationId, isUrgent: true })
      })
    })
  }

  async function markSilent(): Promise<void> {
    try {
      // Silent here, they may be heard by another server.
      await reload(silence.silentIds())
    } catch (err) {
      log.error({ err }, 'reading station figures failed')
    }
    for (const stationId of silence.silentIds()) {
      try {
        await changeOnline(stationId, false, 'silent', systemActor)
      } catch (err) {
        log.error({ err, stationId }, 'marking a silent station failed')
      }
    }
    silence.wait()
  }

  /**
   * Takes over what other servers have saved of stations, all by default, where it is newer than what is known.
   * @returns the ids of those that it found changed
   */
  async function reload(stationIds?: string[]): Promise<string[]> {
    if (stationIds?.length === 0) return []
    const changed: string[] = []
    for (const saved of await repository.presences(stationIds)) {
      const row = rowOf(saved.stationId)
      const isNewer = (saved.lastHeardAtMs ?? 0) > (row.lastHeardAtMs ?? 0)
      if (isNewer || saved.online !== row.online) changed.push(saved.stationId)
      Object.assign(row, isNewer ? saved : { online: saved.online })
    }
    silence.wait()
    return changed
  }

  return {
    /** Loads what is known. Stations that were online get a whole deadline to be heard again. */
    async start(): Promise<void> {
      for (const row of await repository.presences()) {
        rows.set(row.stationId, row.online ? { ...row, lastHeardAtMs: clock.nowMs() } : row)
        if (row.presence !== null) last.set(row.stationId, JSON.parse(row.presence) as Presence)
      }
      silence.wait()
    },

    /** Says again what is known of each station: the broker keeps nothing over a restart. */
    async publishAll(to: Pick<Bus, 'publish'>): Promise<void> {
      for (const [stationId, presence] of last) {
        const { online } = rowOf(stationId)
        const said = presence.online === online ? presence.cause : online ? 'birth' : 'silent'
        await to.publish('presence', stationId, { ...presence, online, cause: said })
      }
    },

    async stop(): Promise<void> {
      silence.stop()
      await figures.stop()
    },

    /** Moves along with the server's clock what silence is counted from, milliseconds. */
    shift(byMs: number): void {
      for (const row of rows.values()) if (row.lastHeardAtMs !== null) row.lastHeardAtMs += byMs
      silence.wait()
    },

    /** What is known of every station. */
    all: (): Iterable<Readonly<StationPresenceRow>> => rows.values(),

    find: (stationId: string): Readonly<StationPresenceRow> | undefined => rows.get(stationId),

    reload,

    /** What a station announced to another server: said again, should it fall silent with that server. */
    note: (stationId: string, presence: Presence) => void last.set(stationId, presence),

    forget(stationId: string): void {
      rows.delete(stationId)
      last.delete(stationId)
      figures.forget(stationId)
    },

    /** A station that an operator marks offline is so until it is heard. Call inside a write. */
    async markOffline(stationId: string, actor: Actor): Promise<void> {
      await reload([stationId])
      await changeOnline(stationId, false, 'marked', actor)
    },

    /** @returns false for a station that is gone, or a connection that a newer one has followed */
    async takePresence(presence: Presence, actor: Actor, ip: string): Promise<boolean> {
      const stationId = actor.id
      if (!(await repository.knownIds([stationId])).has(stationId)) return false
      // A connection that has ended may have been followed by one to another server.
      if (!presence.online) await reload([stationId])
      if (isStalePresence(rowOf(stationId), presence)) return false
      // One that goes and comes without end is left to the deadline of its silence.
      const isGoing = !presence.online && rowOf(stationId).online
      if (isGoing && !rates.allows(stationId, 'absence')) return false
      const row = presence.online ? heard(stationId, ip) : rowOf(stationId)
      row.bootId = presence.bootId
      row.connectionSeq = presence.connectionSeq ?? null
      row.agentVersion = presence.agentVersion
      row.os = presence.os
      row.presence = JSON.stringify(presence)
      last.set(stationId, presence)
      saveSoon(stationId)
      await changeOnline(stationId, presence.online, presence.cause, actor)
      return true
    },

    /** Takes the figures of a heartbeat, whichever way it came; any field may be missing over REST. */
    takeHeartbeat(heartbeat: Partial<Heartbeat>, actor: Actor, ip: string): Promise<void> | undefined {
      const row = heard(actor.id, ip)
      row.lastHeartbeatAtMs = clock.nowMs()
      const { uptimeSeconds, cpuPercent, memoryPercent, diskPercent, temperatureC } = heartbeat
      row.metrics = JSON.stringify({ uptimeSeconds, cpuPercent, memoryPercent, diskPercent, temperatureC })
      const isNewState = heartbeat.state !== undefined && heartbeat.state !== row.reportedState
      if (heartbeat.state) row.reportedState = heartbeat.state
      if (!row.online) return changeOnline(actor.id, true, 'heartbeat', actor)
      return isNewState && rates.allows(actor.id, 'state') ? saveNow(row) : undefined
    },

    /** Takes what the station says to have applied. */
    async takeReported(reported: Reported, actor: Actor, ip: string): Promise<void> {
      const row = heard(actor.id, ip)
      const isNewState = reported.state !== row.reportedState
      row.reportedState = reported.state
      row.reportedVersion = reported.version
      if (!row.online) await changeOnline(actor.id, true, 'message', actor)
      else if (isNewState && rates.allows(actor.id, 'state')) await saveNow(row)
    },

    /** Notes that a station spoke; one that was offline is back. */
    async takeSign(actor: Actor, ip: string): Promise<void> {
      if (!heard(actor.id, ip).online) await changeOnline(actor.id, true, 'message', actor)
    },
  }
}

function unknownPresence(stationId: string): StationPresenceRow {
  return {
    stationId,
    online: false,
    lastHeardAtMs: null,
    lastHeartbeatAtMs: null,
    lastSeenIp: null,
    bootId: null,
    connectionSeq: null,
    agentVersion: null,
    os: null,
    reportedState: null,
    reportedVersion: null,
    metrics: null,
    presence: null,
  }
}
