import type { Principal, Received, Verdict } from '@escale/broker'
import type { Logger } from 'pino'
import type { Bus } from '../bus/port.ts'
import type { Clock } from '../clock.ts'
import type { AppEvent, AppEvents } from '../events.ts'
import type { Peers } from './port.ts'
import { createRetainedHere } from './retained.ts'
import { createNewest, createTaking, type TakingPorts } from './taking.ts'

/** While the others cannot be reached, the database is asked this often for what they did. */
const LOOK_EVERY_MS = 5_000

/** What a server does with the news of the others. */
export interface SharingPorts extends Omit<TakingPorts, 'events' | 'retained' | 'isNewest' | 'logged'> {
  /** Brings memory and bus up to the database; @returns what has changed meanwhile */
  catchUp(): Promise<AppEvent[]>
}

export type Sharing = ReturnType<typeof createSharing>

/** One site on several servers: each tells the others what it commits and what it hears, and takes what they tell. */
export function createSharing(peers: Peers, events: AppEvents, clock: Clock, log: Logger) {
  const retained = createRetainedHere(peers, clock)
  const isNewest = createNewest()
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
    /** The bus of all servers, over that of this one. */
    busOver: (bus: Bus): Bus => ({
      ...bus,
      publish(name, party, payload) {
        retained.say(name, party, payload)
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

    /** Passes on what clients of this server say and may be heard elsewhere. */
    intakeOver:
      (receive: (message: Received) => Verdict | Promise<Verdict>) =>
      (message: Received): Verdict | Promise<Verdict> => {
        const pass = (verdict: Verdict): Verdict => {
          if (verdict === 'route') retained.say(message.name, message.party, message.payload)
          return verdict
        }
        const verdict = receive(message)
        return typeof verdict === 'string' ? pass(verdict) : verdict.then(pass)
      },

    connected: (clientId: string, { id }: Principal) =>
      peers.send({ type: 'connected', clientId, ownerId: id }),

    /** From now on this server and the others know of each other. */
    async start(ports: SharingPorts): Promise<void> {
      const { take, takeEvent } = createTaking({ ...ports, events, retained, isNewest, logged })
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
}

/** Each server counts down and warns by itself; metrics are told once they can be read. */
const isOwn = (event: AppEvent): boolean =>
  event.type === 'warned' || (event.type === 'stationChanged' && !event.isUrgent)
