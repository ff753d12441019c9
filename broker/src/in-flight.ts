import type { Aedes } from 'aedes'

/** Messages of QoS 2 of one client that may wait for their PUBREL; one more closes its connection. */
export const MAX_QOS2_IN_FLIGHT = 1_000

interface StoredPacket {
  cmd: 'publish'
  topic: string
  payload: Buffer
  qos: 2
  messageId: number
}

interface InFlightPersistence {
  incomingStorePacket(client: unknown, packet: StoredPacket): Promise<void>
}

const NOTHING = Buffer.alloc(0)

/**
 * Keeps of a message of QoS 2 its packet id alone until its PUBREL: that is all by which a repeated one is known, and
 * a client that never sends it would fill the memory with payloads.
 */
export function keepIdsInFlight(aedes: Aedes): void {
  const { persistence } = aedes as unknown as { persistence: InFlightPersistence }
  const store = persistence.incomingStorePacket.bind(persistence)
  persistence.incomingStorePacket = (client, { messageId }) =>
    store(client, { cmd: 'publish', topic: '', payload: NOTHING, qos: 2, messageId })
}
