import type { Aedes, PublishPacket } from 'aedes'
import type { Inbound } from './inbound.ts'

type Done = (error?: Error) => void

/** Lets the intake decide how a packet that Aedes has accepted goes on. */
export function routeByTable(aedes: Aedes, routingOf: Inbound['routingOf']): void {
  // Aedes itself calls it with the sending client in the middle, which its types leave out.
  const route = aedes.publish.bind(aedes) as (packet: PublishPacket, ...rest: unknown[]) => void

  aedes.publish = (packet: PublishPacket, ...rest: unknown[]) => {
    const routing = routingOf(packet)
    if (routing === 'drop') {
      const done = rest.at(-1) as Done
      done()
    } else route(routing === undefined ? packet : { ...packet, qos: routing }, ...rest)
  }
}
