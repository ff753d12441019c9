import type { Principal, Received, Verdict } from '@escale/broker'
import type { Logger } from 'pino'
import type { Bus } from '../bus/port.ts'
import type { Clock } from '../clock.ts'
import type { AppEvent, AppEvents } from '../events.ts'
import type { Peers } from './port.ts'
import { createRetainedMessages } from './retained.ts'
import { createVersionFilter, createIncoming, type IncomingPorts } from './incoming.ts'

/** How often the database is read for changes of the others while they cannot be reached. */
const LOOK_EVERY_MS = 5_000

/** What a server needs to follow the others. */
export interface SharingPorts extends Omit<IncomingPorts, 'events' | 'retained' | 'isNewest' | 'logged'> {
  /** Updates memory and bus from the database; @returns the missed changes */
  catchUp(): Promise<AppEvent[]>
}

/** One site on several servers: each sends its commits and the messages of its clients to the others. */
export function createSharing(peers: Peers, events: AppEvents, clock: Clock, log: Logger) {
  const retained = createRetainedMessages(peers, clock)
  const isNewest = createVersionFilter()
  let lookTimer: NodeJS.Timeout | undefined
  let isClosed = false

  events.subscribe((event, origin) => {
    if (event.type === 'sessionChanged') isNewest(event.session)
    if (origin === 'here' && !isOwn(event) && !isClosed) peers.send({ type: 'event', event })
  })

  async function logged(work: Promise<unknown>): Promise<void> {
    try {
      await work
    } catch (err) {
      if (!isClosed) log.error({ err }, 'following another server failed')
    }
  }

  return {
    /** A bus that reaches all servers, based on the bus of this server. */
    busOver: (bus: Bus): Bus => ({
      ...bus,
      publish(name, party, payload) {
        retained.share(name, party, payload)
        return bus.publish(name, party, payload)
      },
      clearRetained(stationId) {
        retained.forget(stationId)
        peers.send({ type: 'clearRetained', stationId })
        return bus.clearRetained(stationId)
      },
      disconnectStation(stationId) {
        peers.send({ type: 'disconnectStation', stationId })
        bus.disconnectStation(stationId)
      },
    }),

    /** Forwards routed messages of this server's clients to the other servers. */
    intakeOver:
      (receive: (message: Received) => Verdict | Promise<Verdict>) =>
      (message: Received): Verdict | Promise<Verdict> => {
        const pass = (verdict: Verdict): Verdict => {
          if (verdict === 'route') retained.share(message.name, message.party, message.payload)
          return verdict
        }
        const verdict = receive(message)
        return typeof verdict === 'string' ? pass(verdict) : verdict.then(pass)
      },

    connected: (clientId: string, { id }: Principal) =>
      peers.send({ type: 'connected', clientId, ownerId: id }),

    /** Joins the other servers. */
    async start(ports: SharingPorts): Promise<void> {
      const { take, takeEvent } = createIncoming({ ...ports, events, retained, isNewest, logged })
      let work = Promise.resolve()
      let isWaiting = false
      /** One read at a time, and at most one more that waits for it. */
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
          // Messages may have been missed before the loss was detected.
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
}

/** Events that each server creates itself. Metrics follow with `presencesSaved`. */
const isOwn = (event: AppEvent): boolean =>
  event.type === 'warned' || (event.type === 'stationChanged' && !event.isUrgent)
