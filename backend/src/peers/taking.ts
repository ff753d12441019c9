import type { Presence } from '@escale/protocol'
import type { Bus } from '../bus/port.ts'
import type { AppEvent, AppEvents } from '../events.ts'
import type { PeerMessage } from './port.ts'
import type { RetainedHere } from './retained.ts'

/** How many sessions' versions are remembered: news that comes late is of the last seconds. */
const MOST_VERSIONS = 5_000

/** What a server does with the news of the others. */
export interface TakingPorts {
  /** The bus of this server alone. */
  bus: Bus
  room: { reload(stationIds: string[]): Promise<unknown> }
  presences: { note(stationId: string, presence: Presence): void }
  desired: { refresh(stationId: string): Promise<void> }
  settings: { load(): Promise<unknown> }
  broker: { takeOver(clientId: string, ownerId: string): void }
  events: AppEvents
  retained: RetainedHere
  /** Whether no newer version of the session is known. */
  isNewest(session: { id: string; version: number }): boolean
  /** Waits for work whose failure is logged. */
  logged(work: Promise<unknown>): Promise<void>
}

/** Takes the news of other servers: events, what their clients said, and what became of connections. */
export function createTaking(ports: TakingPorts) {
  const { bus, desired, settings, broker, events, presences, retained, isNewest, logged } = ports
  const changed = createReloading(ports)
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

  function takeEvent(event: AppEvent): void {
    switch (event.type) {
      case 'stationChanged':
        changed.reload([event.stationId])
        return
      case 'presencesSaved':
        changed.reload(event.stationIds)
        return
      case 'settingsChanged':
        void logged(settings.load().then(() => events.emit(event, 'peer')))
        return
      case 'desiredChanged':
        events.emit(event, 'peer')
        refresh(event.stationId)
        return
      case 'sessionChanged':
        if (isNewest(event.session)) events.emit(event, 'peer')
        return
      default:
        events.emit(event, 'peer')
    }
  }

  function takeSaid(said: Extract<PeerMessage, { type: 'said' }>): void {
    const { name, party, payload } = said
    if (!retained.giveWayTo(said)) return
    if (name === 'presence' && party !== undefined) presences.note(party, payload as Presence)
    const publish = () => bus.publish(name, party, payload as never)
    // The document goes out first; the command says why.
    const document = name === 'command' && party !== undefined ? refreshing.get(party) : undefined
    void (document ? document.then(publish) : publish())
  }

  function take(message: PeerMessage): void {
    switch (message.type) {
      case 'hello':
        retained.sayAllAgain()
        return
      case 'event':
        takeEvent(message.event)
        return
      case 'said':
        takeSaid(message)
        return
      case 'clearRetained':
        retained.forget(message.stationId)
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

/** Commits of two servers may be told in another order than they were made. */
export function createNewest() {
  const versions = new Map<string, number>()
  return ({ id, version }: { id: string; version: number }): boolean => {
    if (version < (versions.get(id) ?? 0)) return false
    versions.delete(id)
    versions.set(id, version)
    if (versions.size > MOST_VERSIONS) {
      const [oldest = ''] = versions.keys()
      versions.delete(oldest)
    }
    return true
  }
}

/** Reads stations that changed elsewhere from the database; those that change meanwhile follow together. */
function createReloading({ room, logged }: Pick<TakingPorts, 'room' | 'logged'>) {
  let changed = new Set<string>()
  let isReloading = false

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

  return {
    reload(stationIds: readonly string[]): void {
      for (const stationId of stationIds) changed.add(stationId)
      void logged(reloadChanged())
    },
  }
}
