import type { Duplex } from 'node:stream'
import { addressGroupOf } from '@escale/protocol'
import type { Aedes, Client } from 'aedes'
import type { ClientTimeouts } from './client-timeouts.ts'
import type { Deadlines } from './deadlines.ts'
import { disableDuplicateCounters } from './duplicates.ts'
import { deliverAsGranted } from './granted-qos.ts'
import { guardConnection } from './guard.ts'
import type { Places } from './places.ts'
import type { Origin } from './ports.ts'
import { busy } from './refusal.ts'
import { turnAway } from './turn-away.ts'
import { enforceWireRules } from './wire-rules.ts'

/** First byte of a CONNECT packet (MQTT 3.1.1 section 3.1.1). */
const CONNECT = 0x10

interface StreamsParts {
  aedes: Pick<Aedes, 'handle'>
  /** Places for streams that have not said CONNECT; one that waits for its login must not give way to them. */
  places: Places
  /** Places for streams whose login is under way. */
  loginPlaces: Places
  deadline: Deadlines
  timeouts: ClientTimeouts
  /** Whether one more client of this address may log in now. */
  hasRoom(address: string): boolean
  connectTimeoutMs: number
  /** A connection came to nothing before anybody logged in on it. */
  failed(ip: string, err: Error): void
  /** Where each stream comes from. */
  origins: WeakMap<object, Origin>
}

/** The streams that clients send packets over, each with the guards that it needs from its first byte. */
export function createStreams(parts: StreamsParts) {
  const { aedes, places, loginPlaces, deadline, timeouts, hasRoom, origins } = parts
  const open = new Set<Duplex>()
  const leaving = new WeakMap<Client, () => void>()
  let isClosed = false

  /** Costs as little as possible: all that is read is the first byte of the CONNECT. */
  function sendAway(stream: Duplex, ip: string) {
    const late = deadline(parts.connectTimeoutMs, () => stream.destroy())
    stream.once('close', () => late.stop())
    stream.on('error', () => undefined)
    stream.once('data', (chunk: Buffer) => {
      parts.failed(ip, busy())
      if (chunk[0] === CONNECT) turnAway(stream)
      else stream.destroy()
    })
  }

  return {
    /** @param leavePlace gives up the place of a stream that has one already */
    accept(
      stream: Duplex,
      origin: Origin,
      leavePlace = places.take(addressGroupOf(origin.ip), () => turnAway(stream)),
    ): void {
      if (isClosed || !leavePlace) {
        leavePlace?.()
        if (isClosed) stream.destroy()
        else turnAway(stream)
        return
      }
      origins.set(stream, origin)
      open.add(stream)
      const address = addressGroupOf(origin.ip)
      let leave = leavePlace
      stream.once('close', () => {
        open.delete(stream)
        leave()
      })
      const mayLogIn = () => {
        const loginPlace = hasRoom(address) ? loginPlaces.take(address) : undefined
        if (!loginPlace) return false
        leave()
        leave = loginPlace
        return true
      }
      if (!hasRoom(address)) {
        sendAway(stream, origin.ip)
        return
      }
      const client = aedes.handle(stream)
      leaving.set(client, () => leave())
      enforceWireRules(client, mayLogIn)
      guardConnection(client, deadline)
      timeouts.expectConnect(client)
      disableDuplicateCounters(client)
      deliverAsGranted(client)
    },

    /** A client is logged in: it leaves its place to others. */
    loggedIn: (client: Client) => leaving.get(client)?.(),

    /** Closes all of them, and accepts no more. */
    close(): void {
      isClosed = true
      for (const stream of open) stream.destroy()
    },
  }
}
