import { isUtf8 } from 'node:buffer'
import { topicTable, type TopicName } from '@escale/protocol'
import { Compile } from 'typebox/compile'

const names = Object.keys(topicTable) as TopicName[]
const validators = new Map(names.map((name) => [name, Compile(topicTable[name].payload)]))

/** The payload of a message as its topic's schema wants it; undefined when it is not JSON or does not fit. */
export function parsePayload(name: TopicName, payload: string | Buffer): unknown {
  if (typeof payload !== 'string' && !isUtf8(payload)) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(payload.toString())
  } catch {
    return undefined
  }
  return validators.get(name)?.Check(parsed) === true ? parsed : undefined
}
