import { Compile } from 'typebox/compile'
import { matchTopic, topicTable, type TopicName, type TopicPayload } from '@escale/protocol'

/** What the server sends to a station, one variant per topic. */
export type Incoming =
  | { name: 'desired'; payload: TopicPayload<'desired'> }
  | { name: 'response'; payload: TopicPayload<'response'> }
  | { name: 'command'; payload: TopicPayload<'command'> }
  | { name: 'config'; payload: TopicPayload<'config'> }

export const incomingTopics = ['desired', 'response', 'command', 'config'] as const satisfies TopicName[]

const checks = {
  desired: Compile(topicTable.desired.payload),
  response: Compile(topicTable.response.payload),
  command: Compile(topicTable.command.payload),
  config: Compile(topicTable.config.payload),
}

/** Reads a message; undefined when it fits no topic of ours or not its schema. */
export function readIncoming(topic: string, bytes: Uint8Array): Incoming | undefined {
  const payload = parse(bytes)
  switch (matchTopic(topic)?.name) {
    case 'desired':
      return checks.desired.Check(payload) ? { name: 'desired', payload } : undefined
    case 'response':
      return checks.response.Check(payload) ? { name: 'response', payload } : undefined
    case 'command':
      return checks.command.Check(payload) ? { name: 'command', payload } : undefined
    case 'config':
      return checks.config.Check(payload) ? { name: 'config', payload } : undefined
    default:
      return undefined
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}
