import { topicTable, type TopicName } from '@escale/protocol'
import type { MqttClient } from 'mqtt'

/** Publications that the broker has not answered yet; a lost connection settles them all. */
export function createPublications(topicOf: (name: TopicName) => string) {
  const unanswered = new Set<(isTaken: boolean) => void>()

  return {
    /** Resolves with whether the broker took it; without acknowledgement (QoS 0) only whether it was written. */
    send(client: MqttClient, name: TopicName, payload: unknown): Promise<boolean> {
      const { qos, retain } = topicTable[name]
      return new Promise((resolve) => {
        const settle = (isTaken: boolean) => {
          unanswered.delete(settle)
          resolve(isTaken)
        }
        unanswered.add(settle)
        client.publish(topicOf(name), JSON.stringify(payload), { qos, retain }, (err) => settle(!err))
      })
    },
    lose(): void {
      for (const settle of [...unanswered]) settle(false)
    },
  }
}
