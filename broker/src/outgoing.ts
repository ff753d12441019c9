import { topicOf, topicTable } from '@escale/protocol'
import type { Aedes, PublishPacket } from 'aedes'
import { createLanes } from './lanes.ts'
import type { Broker } from './ports.ts'

/** The messages that the server itself publishes. */
export function createOutgoing(aedes: Aedes) {
  const lanes = createLanes()
  let published = 0

  /** In order for each party. In parallel, a message that is not retained would overtake a retained one. */
  function send(packet: PublishPacket): Promise<void> {
    published += 1
    const { topic } = packet
    const lane = topic.slice(0, topic.lastIndexOf('/'))
    return new Promise((resolve, reject) => {
      const task = () =>
        new Promise<void>((next) => {
          aedes.publish(packet, (err) => {
            if (err) reject(err)
            else resolve()
            next()
          })
        })
      lanes.run(lane, task)
    })
  }

  const publish: Broker['publish'] = (name, party, payload) => {
    const { qos, retain } = topicTable[name]
    const body = Buffer.from(JSON.stringify(payload))
    return send({ cmd: 'publish', topic: topicOf(name, party), payload: body, qos, retain, dup: false })
  }

  return {
    publish,
    async clearRetained(stationId: string): Promise<void> {
      const empty = { cmd: 'publish', payload: Buffer.alloc(0), qos: 1, retain: true, dup: false } as const
      const names = ['desired', 'presence', 'reported'] as const
      await Promise.all(names.map((name) => send({ ...empty, topic: topicOf(name, stationId) })))
    },
    /** Number of messages so far. */
    count: () => published,
  }
}
