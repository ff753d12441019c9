import type { Client } from 'aedes'
import { covers } from '@escale/protocol'

type Deliver = (packet: { topic: string; qos: number }, done: () => void) => void

interface DeliveringClient {
  subscriptions: Record<string, { qos: number }>
  deliver0: Deliver
  deliverQoS: Deliver
}

/**
 * Delivers each message with the best QoS among the client's filters that it matches, and no better
 * [MQTT-3.3.5-1, MQTT-3.8.4-6]. Aedes takes that of whichever filter it comes to first, and the message's own for
 * what is retained under a wildcard.
 */
export function deliverAsGranted(client: Client): void {
  const internals = client as unknown as DeliveringClient
  const { deliver0, deliverQoS } = internals
  const isQosGranted = (topic: string) =>
    Object.entries(internals.subscriptions).some(([filter, { qos }]) => qos > 0 && covers(filter, topic))

  const deliver: Deliver = (packet, done) => {
    if (packet.qos > 0 && isQosGranted(packet.topic)) deliverQoS(packet, done)
    else deliver0(packet, done)
  }
  internals.deliver0 = deliver
  internals.deliverQoS = deliver
}
