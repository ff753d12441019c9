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
import { enforceWireRules } from './wire-rules.ts'

interface StreamsParts {
  aedes: Pick<Aedes, 'handle'>
  /** Places for streams that nobody has logged in on. */
  places: Places
  deadline: Deadlines
  timeouts: ClientTimeouts
  /** Whether one more client may log in now. */
  hasRoom(client: Client): boolean
  noteOrigin(stream: Duplex, origin: Origin): void
}

/** The streams that clients send packets over, each with the guards that it needs from its first byte. */
export function createStreams(parts: StreamsParts) {
  const { aedes, places, deadline, timeouts, hasRoom, noteOrigin } = parts
  const open = new Set<Duplex>()
  const leaving = new WeakMap<Client, () => void>()
  let isClosed = false

  return {
    /** @param leavePlace gives up the place of a stream that has one already */
    accept(
      stream: Duplex,
      origin: Origin,
      leavePlace = places.take(addressGroupOf(origin.ip), () => stream.destroy()),
    ): void {
      if (isClosed || !leavePlace) {
        leavePlace?.()
        stream.destroy()
        return
      }
      noteOrigin(stream, origin)
      open.add(stream)
      stream.once('close', () => {
        open.delete(stream)
        leavePlace()
      })
      const client = aedes.handle(stream)
      leaving.set(client, leavePlace)
      enforceWireRules(client, hasRoom)
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
