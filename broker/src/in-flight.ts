import type { Aedes } from 'aedes'

/** Maximum number of QoS 2 messages of one client that wait for their PUBREL. One more closes the connection. */
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
 * Stores only the packet id of a QoS 2 message until its PUBREL. This is enough to detect a repeated message, and a
 * client that never sends PUBREL cannot fill the memory.
 */
export function keepIdsInFlight(aedes: Aedes): void {
  const { persistence } = aedes as unknown as { persistence: InFlightPersistence }
  const store = persistence.incomingStorePacket.bind(persistence)
  persistence.incomingStorePacket = (client, { messageId }) =>
    store(client, { cmd: 'publish', topic: '', payload: NOTHING, qos: 2, messageId })
}
