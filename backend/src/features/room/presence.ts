import type { Actor, Heartbeat, Presence, Reported } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Bus } from '../../bus/port.ts'
import type { Clock } from '../../clock.ts'
import { isStalePresence } from '../../domain/presence.ts'
import { unknownPresence, type StationPresence } from '../../domain/station.ts'
import type { AppEvents } from '../../events.ts'
import { systemActor } from '../logs/index.ts'
import type { Rates } from '../rates/index.ts'
import type { Settings } from '../settings/index.ts'
import { createComingAndGoing, type ComingAndGoingPorts, type OnlineChange } from './coming-and-going.ts'
import type { PresenceRepository } from './repository.ts'
import { createSaving } from './saving.ts'
import { createSilenceWatch } from './silence.ts'
import type { RoomStore } from './store.ts'

export type Presences = ReturnType<typeof createPresences>

export interface PresencePorts extends Omit<ComingAndGoingPorts, 'onChanged'> {
  repository: PresenceRepository
  room: RoomStore
  bus: Pick<Bus, 'publish'>
  events: AppEvents
  settings: Settings
  rates: Pick<Rates, 'allows'>
  clock: Clock
  log: Logger
}

/**
 * Data that stations send about themselves: in the room at once, in the database within a second, or before a change of
 * presence.
 */
export function createPresences(ports: PresencePorts) {
  const { room, bus, events, rates, clock, log } = ports
  const saving = createSaving(ports)
  const online = createComingAndGoing({ ...ports, onChanged })
  const silence = createSilenceWatch(room, ports, markSilent)
  const presenceOf = (stationId: string) => room.station(stationId)?.presence ?? unknownPresence

  events.subscribe((event) => {
    if (event.type === 'settingsChanged') silence.waitAnew()
  })

  /** Records data of a station; they are saved within a second. */
  function note(stationId: string, told: Partial<StationPresence>): void {
    room.changePresence(stationId, told)
    saving.saveSoon(stationId)
  }

  /** Every accepted message shows that the station is online. */
  const heardNow = (ip: string): Partial<StationPresence> => ({
    lastHeardAtMs: clock.nowMs(),
    ...(ip && { lastSeenIp: ip }),
  })

  /** Commits that a station came online or went offline; its data are recorded in both cases. */
  async function changeOnline(change: OnlineChange): Promise<void> {
    const { stationId, told } = change
    // After a restart many stations connect at once and report nothing new: a write for each would delay them.
    if (presenceOf(stationId).online === change.online && !online.isChanging(stationId)) {
      if (told) note(stationId, told)
      return
    }
    await online.change(change)
    silence.wait()
  }

  /** Publishes to subscribers what the station itself did not publish. */
  function onChanged({ stationId, online, cause, told }: OnlineChange, isNews: boolean): void {
    if (!isNews && told) saving.saveSoon(stationId)
    const { presence } = presenceOf(stationId)
    if (!presence || !isNews) return
    if (cause === 'silent') void bus.publish('presence', stationId, { ...presence, online, cause })
    // Its silence had been published.
    else if (online && cause !== 'birth')
      void bus.publish('presence', stationId, { ...presence, online, cause: 'birth' })
  }

  async function markSilent(): Promise<void> {
    try {
      // They are silent on this server, but another server may receive their messages.
      if (ports.hasPeers) await room.reload(silence.silentIds())
      const change = { online: false, cause: 'silent', actor: systemActor }
      await Promise.all(silence.silentIds().map((stationId) => changeOnline({ stationId, ...change })))
    } catch (err) {
      log.error({ err }, 'marking silent stations failed, trying again')
    }
  }

  /** Records that a station has sent something; one that was offline is online again. */
  async function noteContact(actor: Actor, ip: string, told: Partial<StationPresence> = {}): Promise<void> {
    const heard = { ...heardNow(ip), ...told }
    await changeOnline({ stationId: actor.id, online: true, cause: 'message', actor, told: heard })
  }

  return {
    start: () => silence.wait(),
    async stop(): Promise<void> {
      await silence.stop()
      await online.settled()
      await saving.stop()
    },

    /** Publishes the known presence of each station again, because the broker keeps nothing over a restart. */
    async publishAll(to: Pick<Bus, 'publish'>): Promise<void> {
      for (const { record, presence } of room.stations()) {
        const said = saidOf(presence)
        if (said) await to.publish('presence', record.id, said)
      }
    },

    /** Moves the times from which silence is counted with the server's clock, milliseconds. */
    shift(byMs: number): void {
      for (const { record, presence } of [...room.stations()])
        if (presence.lastHeardAtMs !== null)
          room.changePresence(record.id, { lastHeardAtMs: presence.lastHeardAtMs + byMs })
    },

    find: (stationId: string): Readonly<StationPresence> | undefined => room.station(stationId)?.presence,

    /**
     * The presence that a station announced to another server. This server publishes it if the station becomes silent
     * with that server.
     */
    note: (stationId: string, presence: Presence) => room.changePresence(stationId, { presence }),

    /** A station that an operator marks offline stays offline until it sends something. Call it inside a write. */
    markOffline: (stationId: string, actor: Actor): Promise<void> =>
      online.changeWithin({ stationId, online: false, cause: 'marked', actor }),

    /** @returns false for a deleted station, or a connection that was followed by a newer one */
    async takePresence(presence: Presence, actor: Actor, ip: string): Promise<boolean> {
      const stationId = actor.id
      // Another server may just have created the station, or have a newer connection of it.
      if (!room.station(stationId) || (ports.hasPeers && !presence.online)) await room.reload([stationId])
      const known = room.station(stationId)?.presence
      if (!known || isStalePresence(known, presence)) return false
      // If a station disconnects too often, only the deadline for silence counts.
      if (!presence.online && known.online && !rates.allows(stationId, 'absence')) return false
      const { bootId, connectionSeq = null, agentVersion, os } = presence
      const told = { bootId, connectionSeq, agentVersion, os, presence, ...(presence.online && heardNow(ip)) }
      const { online, cause } = presence
      await changeOnline({ stationId, online, cause, actor, told })
      return true
    },

    /** Records the metrics of a heartbeat from MQTT or REST; over REST any field may be missing. */
    takeHeartbeat(heartbeat: Partial<Heartbeat>, actor: Actor, ip: string): Promise<void> | undefined {
      const told = { ...heardNow(ip), ...toldBy(heartbeat), lastHeartbeatAtMs: clock.nowMs() }
      if (!presenceOf(actor.id).online)
        return changeOnline({ stationId: actor.id, online: true, cause: 'heartbeat', actor, told })
      note(actor.id, told)
      return undefined
    },

    /** Records what the station reports: a new state is committed before the acknowledgement. */
    async takeReported({ state, version }: Reported, actor: Actor, ip: string): Promise<void> {
      const told = { reportedState: state, reportedVersion: version }
      const isNewState = state !== presenceOf(actor.id).reportedState
      if (!presenceOf(actor.id).online || !isNewState || !rates.allows(actor.id, 'state')) {
        await noteContact(actor, ip, told)
        return
      }
      await saving.saveNow(actor.id, { ...heardNow(ip), ...told })
    },

    noteContact,
  }
}

/** The data of a heartbeat; over REST any field may be missing. */
function toldBy(heartbeat: Partial<Heartbeat>): Partial<StationPresence> {
  const { uptimeSeconds, cpuPercent, memoryPercent, diskPercent, temperatureC, state } = heartbeat
  const metrics = { uptimeSeconds, cpuPercent, memoryPercent, diskPercent, temperatureC }
  return { metrics, ...(state && { reportedState: state }) }
}

/** The last announced presence of a station, as it is now. */
function saidOf({ presence, online }: StationPresence): Presence | undefined {
  if (presence === null) return undefined
  const cause = online ? 'birth' : 'silent'
  return { ...presence, online, cause: presence.online === online ? presence.cause : cause }
}
