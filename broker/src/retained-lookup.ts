import { Readable } from 'node:stream'
import type { Aedes } from 'aedes'

interface RetainedPacket {
  topic: string
  payload: Uint8Array
}

interface RetainingPersistence {
  storeRetained(packet: RetainedPacket): Promise<unknown>
  createRetainedStreamCombi(filters: string[]): Readable
}

const hasWildcard = (filter: string) => filter.includes('+') || filter.includes('#')

/**
 * Finds what is retained under exact topics by their names. Aedes' memory looks at every retained message for each
 * filter: a room that comes back after a restart would cost the square of its stations.
 */
export function lookUpRetained(aedes: Aedes): void {
  const { persistence } = aedes as unknown as { persistence: RetainingPersistence }
  const storeRetained = persistence.storeRetained.bind(persistence)
  const search = persistence.createRetainedStreamCombi.bind(persistence)
  const byTopic = new Map<string, RetainedPacket>()

  persistence.storeRetained = async (packet) => {
    // Kept as Aedes keeps it: a copy, and an empty payload forgets.
    if (packet.payload.length === 0) byTopic.delete(packet.topic)
    else byTopic.set(packet.topic, { ...packet })
    return storeRetained(packet)
  }
  persistence.createRetainedStreamCombi = (filters) => {
    if (filters.some(hasWildcard)) return search(filters)
    return Readable.from(filters.flatMap((topic) => byTopic.get(topic) ?? []))
  }
}
