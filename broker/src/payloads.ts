import { isUtf8 } from 'node:buffer'
import { topicTable, type TopicName } from '@escale/protocol'
import { Check } from 'typebox/value'
import { Compile } from 'typebox/compile'

const names = Object.keys(topicTable) as TopicName[]
const validators = new Map(names.map((name) => [name, Compile(topicTable[name].payload)]))
const RequestId = topicTable.request.payload.properties.id

/** Why a payload does not fit, and the id of the request that it was meant to be, where it can be read. */
export interface PayloadFault {
  code: 'malformed-json' | 'invalid-body'
  id?: string
}

export type Parsed = { payload: unknown } | { fault: PayloadFault }

/** The payload of a message as its topic's schema wants it, or what is wrong with it. */
export function parsePayload(name: TopicName, payload: string | Buffer): Parsed {
  const parsed = parseJson(payload)
  if (parsed === undefined) return { fault: { code: 'malformed-json' } }
  if (validators.get(name)?.Check(parsed) === true) return { payload: parsed }
  return { fault: { code: 'invalid-body', ...idIn(parsed) } }
}

/** The id in what was published where no schema says what it should be. */
export function idOf(payload: string | Buffer): string | undefined {
  return idIn(parseJson(payload)).id
}

function parseJson(payload: string | Buffer): unknown {
  if (typeof payload !== 'string' && !isUtf8(payload)) return undefined
  try {
    return JSON.parse(payload.toString()) as unknown
  } catch {
    return undefined
  }
}

function idIn(parsed: unknown): { id?: string } {
  const id = typeof parsed === 'object' && parsed !== null && 'id' in parsed ? parsed.id : undefined
  return Check(RequestId, id) ? { id } : {}
}
