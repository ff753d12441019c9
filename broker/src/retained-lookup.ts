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

/** A leading wildcard does not match `$SYS` topics [MQTT-4.7.2-1]. */
const matches = (filter: string, topic: string) =>
  covers(filter, topic) && !(topic.startsWith('$') && /^[+#]/.test(filter))

/**
 * Finds retained messages of exact topics by name. Aedes checks every retained message for each filter, so the cost of
 * a restart would grow with the square of the number of stations.
 * @returns the number of topics with a retained message, without `$SYS`
 */
export function lookUpRetained(aedes: Aedes): () => number {
  const { persistence } = aedes as unknown as { persistence: RetainingPersistence }
  const storeRetained = persistence.storeRetained.bind(persistence)
  const byTopic = new Map<string, RetainedPacket>()

  persistence.storeRetained = async (packet) => {
    // As in Aedes: stores a copy, and an empty payload removes the message.
    if (packet.payload.length === 0) byTopic.delete(packet.topic)
    else byTopic.set(packet.topic, { ...packet })
    return storeRetained(packet)
  }
  /** One filter for each turn of the event loop: a client may send hundreds of filters for thousands of messages. */
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
