import type { Aedes, PublishPacket } from 'aedes'
import type { Inbound } from './inbound.ts'

type Done = (error?: Error) => void

/** Lets the intake decide how an accepted packet is delivered. */
export function routeByTable(aedes: Aedes, routingOf: Inbound['routingOf']): void {
  // Aedes calls it with the sending client as the second argument, which its types omit.
  const route = aedes.publish.bind(aedes) as (packet: PublishPacket, ...rest: unknown[]) => void

  aedes.publish = (packet: PublishPacket, ...rest: unknown[]) => {
    const routing = routingOf(packet)
    if (routing === 'drop') {
      const done = rest.at(-1) as Done
      done()
    } else route(routing === undefined ? packet : { ...packet, qos: routing }, ...rest)
  }
}
