import type { AedesPublishPacket, Client } from 'aedes'

const nothingSeen: Record<string, number> = new Proxy({}, { get: () => 0, set: () => true })

/**
 * Stops Aedes from taking a message for a duplicate because a younger one overtook it. It numbers messages when they
 * are published but compares the numbers when they are delivered, and one that is not retained passes one that is:
 * the older is then lost, QoS 1 or not. Use {@link createDuplicateFilter} in its place.
 */
export function disableDuplicateCounters(client: Client): void {
  const internals = client as unknown as { duplicates: Record<string, number> }
  internals.duplicates = nothingSeen
}

/**
 * Tells whether a message comes to one client a second time, for another of its subscriptions. Aedes hands a message
 * to all matching subscriptions in one go, so the last one is enough to remember.
 */
export function createDuplicateFilter(): (packet: AedesPublishPacket) => boolean {
  let lastBrokerId: string | undefined
  let lastCounter = 0

  return ({ brokerId, brokerCounter }) => {
    // Retained messages carry no broker: each subscription gets its own.
    if (!brokerId) return false
    if (brokerId === lastBrokerId && brokerCounter === lastCounter) return true
    lastBrokerId = brokerId
    lastCounter = brokerCounter
    return false
  }
}

/** Whether a QoS 2 message has come before and waits for its PUBREL; Aedes asks the policy first, and itself later. */
export function isSentAgain(
  client: Client,
  { qos, messageId }: { qos: number; messageId?: number },
): boolean {
  const { _inboundInflight: held } = client as unknown as { _inboundInflight: Set<number> }
  return qos === 2 && messageId !== undefined && held.has(messageId)
}
