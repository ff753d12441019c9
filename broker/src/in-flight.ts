import type { Aedes } from 'aedes'

/** Maximum number of QoS 2 messages of one client that wait for their PUBREL. One more closes the connection. */
export const MAX_QOS2_IN_FLIGHT = 1_000

interface InFlightPersistence {
  incomingStorePacket(client: unknown, packet: { messageId: number }): Promise<void>
}

const EMPTY = { cmd: 'publish', topic: '', payload: Buffer.alloc(0), qos: 2 }

/**
 * Stores only the packet id of a QoS 2 message until its PUBREL. This is enough to detect a repeated message, and a
 * client that never sends PUBREL cannot fill the memory.
 */
export function keepIdsInFlight(aedes: Aedes): void {
  const { persistence } = aedes as unknown as { persistence: InFlightPersistence }
  const store = persistence.incomingStorePacket.bind(persistence)
  persistence.incomingStorePacket = (client, { messageId }) => store(client, { ...EMPTY, messageId })
}
