import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { covers } from '@escale/protocol'
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

/** A wildcard at the start finds nothing of the broker's own [MQTT-4.7.2-1]. */
const matches = (filter: string, topic: string) =>
  covers(filter, topic) && !(topic.startsWith('$') && /^[+#]/.test(filter))

/**
 * Finds what is retained under exact topics by their names. Aedes' memory looks at every retained message for each
 * filter: a room that comes back after a restart would cost the square of its stations.
 * @returns how many topics have a retained message, those of the broker itself aside
 */
export function lookUpRetained(aedes: Aedes): () => number {
  const { persistence } = aedes as unknown as { persistence: RetainingPersistence }
  const storeRetained = persistence.storeRetained.bind(persistence)
  const byTopic = new Map<string, RetainedPacket>()

  persistence.storeRetained = async (packet) => {
    // Kept as Aedes keeps it: a copy, and an empty payload forgets.
    if (packet.payload.length === 0) byTopic.delete(packet.topic)
    else byTopic.set(packet.topic, { ...packet })
    return storeRetained(packet)
  }
  /** One filter in a turn of the event loop: a client may ask for hundreds of them, of thousands of messages. */
  async function* search(filters: string[]) {
    const found = new Set<string>()
    for (const filter of filters) {
      for (const [topic, packet] of byTopic) {
        if (found.has(topic) || !matches(filter, topic)) continue
        found.add(topic)
        yield packet
      }
      await nextTurn()
    }
  }

  persistence.createRetainedStreamCombi = (filters) => {
    if (filters.some(hasWildcard)) return Readable.from(search(filters))
    return Readable.from(filters.flatMap((topic) => byTopic.get(topic) ?? []))
  }
  return () => [...byTopic.keys()].filter((topic) => !topic.startsWith('$')).length
}
