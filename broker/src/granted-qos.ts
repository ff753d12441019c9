import type { Client } from 'aedes'
import { covers } from '@escale/protocol'

type Deliver = (packet: { topic: string; qos: number }, done: () => void) => void

interface DeliveringClient {
  subscriptions: Record<string, { qos: number }>
  deliver0: Deliver
  deliverQoS: Deliver
}

/**
 * Delivers each message with the highest QoS of the client's matching filters, and no higher [MQTT-3.3.5-1,
 * MQTT-3.8.4-6]. Aedes uses the QoS of the first matching filter, and for retained messages under a wildcard the QoS of
 * the message.
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
