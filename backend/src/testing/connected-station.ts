import { randomUUID } from 'node:crypto'
import type { Response } from '@escale/protocol'
import type { TestApp } from './app.ts'

/** An enrolled station that is connected to the broker. */
export async function connectStation(test: TestApp) {
  const { id } = await test.createStation()
  const { secret } = await test.enrol(id)
  const { client, messages } = await test.mqtt(id, secret)
  const topic = (kind: string) => `escale/v1/stations/${id}/${kind}`
  await client.subscribeAsync([topic('desired'), topic('response')], { qos: 1 })
  const say = (kind: string, payload: object) =>
    client.publishAsync(topic(kind), JSON.stringify(payload), { qos: 1 })
  return {
    id,
    messages,
    say,
    async ask(op: string, params: object = {}): Promise<Response> {
      const request = { id: randomUUID(), op, params }
      await say('request', request)
      const isAnswer = (payload: Record<string, unknown>) => payload['id'] === request.id
      return (await messages.next('/response', isAnswer)).payload as Response
    },
    desired: async (fits: (document: Record<string, unknown>) => boolean = () => true) =>
      (await messages.next('/desired', fits)).payload,
  }
}
