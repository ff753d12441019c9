import { createLanes } from '@escale/broker'
import type { Presence } from '@escale/protocol'
import type { Bus } from '../bus/port.ts'
import type { AppEvent, AppEvents } from '../events.ts'
import { createQueue } from '../timing.ts'
import type { PeerMessage } from './port.ts'
import type { RetainedMessages } from './retained.ts'

/** How many session versions are remembered. Enough for late messages of the last seconds. */
const MOST_VERSIONS = 5_000

/** What the handling of other servers' messages needs. */
export interface IncomingPorts {
  /** The bus of this server only. */
  bus: Bus
  room: { reload(stationIds: string[]): Promise<unknown> }
  presences: { note(stationId: string, presence: Presence): void }
  desired: { refresh(stationId: string): Promise<void> }
  settings: { load(): Promise<unknown> }
  broker: { takeOver(clientId: string, ownerId: string): void }
  events: AppEvents
  retained: RetainedMessages
  /** Whether no newer version of the session was seen. */
  isNewest(session: { id: string; version: number }): boolean
  /** Waits for work and logs its failure. */
  logged(work: Promise<unknown>): Promise<void>
}

/** Handles messages of other servers: events, messages of their clients, and connections. */
export function createIncoming(ports: IncomingPorts) {
  const { bus, desired, settings, broker, events, presences, retained, isNewest, logged } = ports
  const reload = createReloading(ports)
  /** By station: a document is published before the command that explains it. */
  const lanes = createLanes()

  function takeEvent(event: AppEvent): void {
    switch (event.type) {
      case 'stationChanged':
        reload([event.stationId])
        return
      case 'presencesSaved':
        reload(event.stationIds)
        return
      case 'settingsChanged':
        void logged(settings.load().then(() => events.emit(event, 'peer')))
        return
      case 'desiredChanged':
        events.emit(event, 'peer')
        lanes.run(event.stationId, () => logged(desired.refresh(event.stationId)))
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
    if (!retained.replaceBy(said)) return
    if (name === 'presence' && party !== undefined) presences.note(party, payload as Presence)
    const publish = () => bus.publish(name, party, payload as never)
    if (name === 'command' && party !== undefined) lanes.run(party, publish)
    else void publish()
  }

  function take(message: PeerMessage): void {
    switch (message.type) {
      case 'hello':
        retained.shareAll()
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

/** Detects old versions, because messages of two servers can arrive in another order than their commits. */
export function createVersionFilter() {
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

/** Reads stations that other servers changed from the database. Changes during a read are read together afterwards. */
function createReloading({ room, logged }: Pick<IncomingPorts, 'room' | 'logged'>) {
  const queue = createQueue()
  let changed = new Set<string>()

  function reloadChanged(): Promise<unknown> {
    const stationIds = [...changed]
    changed = new Set()
    return room.reload(stationIds)
  }

  return (stationIds: readonly string[]): void => {
    const isAsked = changed.size > 0
    for (const stationId of stationIds) changed.add(stationId)
    if (!isAsked && changed.size > 0) void logged(queue(reloadChanged))
  }
}
