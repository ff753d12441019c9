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
  /** Places for streams before their CONNECT. They never displace one that waits for its login. */
  places: Places
  /** Places for streams whose login is in progress. */
  loginPlaces: Places
  deadline: Deadlines
  timeouts: ClientTimeouts
  /** Whether one more client of this address may log in now. */
  hasRoom(address: string): boolean
  connectTimeoutMs: number
  /** A connection ended before its login. */
  failed(ip: string, err: Error): void
  /** The origin of each stream. */
  origins: WeakMap<object, Origin>
}

/** The streams of clients, each with its guards from the first byte. */
export function createStreams(parts: StreamsParts) {
  const { aedes, places, loginPlaces, deadline, timeouts, hasRoom, origins } = parts
  const open = new Set<Duplex>()
  const leaving = new WeakMap<Client, () => void>()
  let isClosed = false

  /** Must be cheap: it reads only the first byte of the CONNECT. */
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
    /** @param leavePlace frees the place of a stream that already has one */
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

    /** A client has logged in: its place becomes free. */
    loggedIn: (client: Client) => leaving.get(client)?.(),

    /** Closes all streams and accepts no more. */
    close(): void {
      isClosed = true
      for (const stream of open) stream.destroy()
    },
  }
}
