import type { AedesPublishPacket, Client } from 'aedes'

const nothingSeen: Record<string, number> = new Proxy({}, { get: () => 0, set: () => true })

/**
 * Prevents that Aedes treats a message as a duplicate because a later one overtook it. Aedes numbers messages at
 * publication but compares the numbers at delivery, and a message that is not retained can overtake a retained one. The
 * older one would be lost, even with QoS 1. Use {@link createDuplicateFilter} instead.
 */
export function disableDuplicateCounters(client: Client): void {
  const internals = client as unknown as { duplicates: Record<string, number> }
  internals.duplicates = nothingSeen
}

/**
 * Detects a message that is delivered twice to one client because of two subscriptions. Aedes delivers a message to all
 * matching subscriptions at once, so remembering the last message is enough.
 */
export function createDuplicateFilter(): (packet: AedesPublishPacket) => boolean {
  let lastBrokerId: string | undefined
  let lastCounter = 0

  return ({ brokerId, brokerCounter }) => {
    // Retained messages have no broker id: each subscription gets its own copy.
    if (!brokerId) return false
    if (brokerId === lastBrokerId && brokerCounter === lastCounter) return true
    lastBrokerId = brokerId
    lastCounter = brokerCounter
    return false
  }
}

/**
 * Whether a QoS 2 message was received before and waits for its PUBREL. Aedes asks the policy before it checks that.
 */
export function isSentAgain(
  client: Client,
  { qos, messageId }: { qos: number; messageId?: number },
): boolean {
  const { _inboundInflight: held } = client as unknown as { _inboundInflight: Set<number> }
  return qos === 2 && messageId !== undefined && held.has(messageId)
}
