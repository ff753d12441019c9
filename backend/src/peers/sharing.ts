import type { Principal, Received, Verdict } from '@escale/broker'
import { topicTable, type Presence, type TopicName } from '@escale/protocol'
import type { Logger } from 'pino'
import type { Bus } from '../bus/port.ts'
import type { Clock } from '../clock.ts'
import type { AppEvent, AppEvents } from '../events.ts'
import type { PeerMessage, Peers } from './port.ts'

/** While the others cannot be reached, the database is asked this often for what they did. */
const LOOK_EVERY_MS = 5_000
/** How many sessions' versions are remembered: news that comes late is of the last seconds. */
const MOST_VERSIONS = 5_000

/** What each server makes of the database itself. */
const MADE_HERE: readonly TopicName[] = ['desired', 'config']

/** What a server does with the news of the others. */
export interface SharingPorts {
  /** The bus of this server alone. */
  bus: Bus
  room: { reload(stationIds: string[]): Promise<unknown> }
  presences: { note(stationId: string, presence: Presence): void }
  desired: { refresh(stationId: string): Promise<void> }
  settings: { load(): Promise<unknown> }
  broker: { takeOver(clientId: string, ownerId: string): void }
  /** Brings memory and bus up to the database; @returns what has changed meanwhile */
  catchUp(): Promise<AppEvent[]>
}

export type Sharing = ReturnType<typeof createSharing>

/** One site on several servers: each tells the others what it commits and what it hears, and takes what they tell. */
export function createSharing(peers: Peers, events: AppEvents, clock: Clock, log: Logger) {
  /** What clients of this server said last on topics that are retained. */
  const retained = new Map<string, Extract<PeerMessage, { type: 'said' }>>()
  const sessionVersions = new Map<string, number>()
  let lookTimer: NodeJS.Timeout | undefined
  let isClosed = false

  events.subscribe((event, origin) => {
    if (event.type === 'sessionChanged') isNewest(event)
    if (origin === 'here' && !isOwn(event)) peers.send({ type: 'event', event })
  })

  /** Commits of two servers may be told in another order than they were made. */
  function isNewest({ session: { id, version } }: Extract<AppEvent, { type: 'sessionChanged' }>): boolean {
    if (version < (sessionVersions.get(id) ?? 0)) return false
    sessionVersions.delete(id)
    sessionVersions.set(id, version)
    if (sessionVersions.size > MOST_VERSIONS) {
      const [oldest = ''] = sessionVersions.keys()
      sessionVersions.delete(oldest)
    }
    return true
  }

  function say(name: TopicName, party: string | undefined, payload: object): void {
    // Answers carry live codes, and are for a client of this server.
    if (MADE_HERE.includes(name) || topicTable[name].isPrivate) return
    const said = { type: 'said', name, party, payload, atMs: clock.nowMs() } as const
    if (topicTable[name].retain) retained.set(keyOf(name, party), said)
    peers.send(said)
  }

  function forget(stationId: string): void {
    for (const name of ['presence', 'reported'] as const) retained.delete(keyOf(name, stationId))
  }

  return {
    /** The bus of all servers, over that of this one. */
    busOver: (bus: Bus): Bus => ({
      ...bus,
      publish(name, party, payload) {
        say(name, party, payload)
        return bus.publish(name, party, payload)
      },
      clearRetained(stationId) {
        forget(stationId)
        peers.send({ type: 'clearRetained', stationId })
        return bus.clearRetained(stationId)
      },
      disconnectStation(stationId) {
        peers.send({ type: 'disconnectStation', stationId })
        bus.disconnectStation(stationId)
      },
    }),

    /** Passes on what clients of this server say and may be heard elsewhere. */
    intakeOver:
      (receive: (message: Received) => Verdict | Promise<Verdict>) =>
      (message: Received): Verdict | Promise<Verdict> => {
        const pass = (verdict: Verdict): Verdict => {
          if (verdict === 'route') say(message.name, message.party, message.payload)
          return verdict
        }
        const verdict = receive(message)
        return typeof verdict === 'string' ? pass(verdict) : verdict.then(pass)
      },

    connected: (clientId: string, { id }: Principal) =>
      peers.send({ type: 'connected', clientId, ownerId: id }),

    /** From now on this server and the others know of each other. */
    async start(ports: SharingPorts): Promise<void> {
      const { take, takeEvent } = createTaking(ports)
      let work = Promise.resolve()
      let isWaiting = false
      /** One look at a time, and no more than one that waits for it. */
      function catchUp(): void {
        if (isWaiting) return
        isWaiting = true
        work = work.then(async () => {
          isWaiting = false
          await logged(ports.catchUp().then((missed) => missed.forEach(takeEvent)))
        })
      }
      await peers.listen({
        take,
        joined() {
          clearInterval(lookTimer)
          catchUp()
          peers.send({ type: 'hello' })
        },
        lost() {
          lookTimer = setInterval(catchUp, LOOK_EVERY_MS)
          // Nothing was heard for a while already.
          catchUp()
        },
      })
    },

    isConnected: () => peers.isConnected(),

    async close(): Promise<void> {
      isClosed = true
      clearInterval(lookTimer)
      await peers.close()
    },
  }

  async function logged(work: Promise<unknown>): Promise<void> {
    try {
      await work
    } catch (err) {
      if (!isClosed) log.error({ err }, 'following another server failed')
    }
  }

  function createTaking(ports: SharingPorts) {
    const { bus, room, presences, desired, settings, broker } = ports
    /** Stations that changed elsewhere. */
    let changed = new Set<string>()
    let isReloading = false
    /** Documents that are being published, by station. */
    const refreshing = new Map<string, Promise<void>>()

    function refresh(stationId: string): void {
      const before = refreshing.get(stationId) ?? Promise.resolve()
      const work = before.then(() => logged(desired.refresh(stationId)))
      refreshing.set(stationId, work)
      void work.then(() => {
        if (refreshing.get(stationId) === work) refreshing.delete(stationId)
      })
    }

    async function reloadChanged(): Promise<void> {
      if (isReloading) return
      isReloading = true
      try {
        while (changed.size > 0) {
          const batch = changed
          changed = new Set()
          await room.reload([...batch])
        }
      } finally {
        isReloading = false
      }
    }

    function takeEvent(event: AppEvent): void {
      switch (event.type) {
        case 'stationChanged':
          changed.add(event.stationId)
          void logged(reloadChanged())
          return
        case 'presencesSaved':
          for (const stationId of event.stationIds) changed.add(stationId)
          void logged(reloadChanged())
          return
        case 'settingsChanged':
          void logged(settings.load().then(() => events.emit(event, 'peer')))
          return
        case 'desiredChanged':
          events.emit(event, 'peer')
          refresh(event.stationId)
          return
        case 'sessionChanged':
          if (isNewest(event)) events.emit(event, 'peer')
          return
        default:
          events.emit(event, 'peer')
      }
    }

    function takeSaid(said: Extract<PeerMessage, { type: 'said' }>): void {
      const { name, party, payload, atMs } = said
      const key = keyOf(name, party)
      // Since then the station has spoken here.
      if ((retained.get(key)?.atMs ?? 0) > atMs) return
      retained.delete(key)
      if (name === 'presence' && party !== undefined) presences.note(party, payload as Presence)
      const publish = () => bus.publish(name, party, payload as never)
      // The document goes out first; the command says why.
      const document = name === 'command' && party !== undefined ? refreshing.get(party) : undefined
      void (document ? document.then(publish) : publish())
    }

    function take(message: PeerMessage): void {
      switch (message.type) {
        case 'hello':
          for (const said of retained.values()) peers.send(said)
          return
        case 'event':
          takeEvent(message.event)
          return
        case 'said':
          takeSaid(message)
          return
        case 'clearRetained':
          forget(message.stationId)
          void bus.clearRetained(message.stationId)
          return
        case 'disconnectStation':
          bus.disconnectStation(message.stationId)
          return
        case 'connected':
          broker.takeOver(message.clientId, message.ownerId)
      }
    }

    return { take, takeEvent }
  }
}

/** Each server counts down and warns by itself; metrics are told once they can be read. */
const isOwn = (event: AppEvent): boolean =>
  event.type === 'warned' || (event.type === 'stationChanged' && !event.isUrgent)

const keyOf = (name: TopicName, party = '') => `${name} ${party}`
