import { isUtf8 } from 'node:buffer'
import { topicTable, unsoundnessOf, withoutImpossibleFields, type TopicName } from '@escale/protocol'
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

/** `rewritten` is what is passed on where it is not what was sent. */
export type Parsed = { payload: unknown; rewritten?: Buffer } | { fault: PayloadFault }

/**
 * The payload of a message as its topic's schema wants it, or what is wrong with it. A heartbeat loses the figures that
 * are impossible, and stays a sign of life.
 */
export function parsePayload(name: TopicName, payload: string | Buffer): Parsed {
  const parsed = parseJson(payload)
  if (parsed === undefined) return { fault: { code: 'malformed-json' } }
  // What no schema sees: halves of characters, NUL, nesting without end.
  const fits = (value: unknown) =>
    validators.get(name)?.Check(value) === true && unsoundnessOf(value) === undefined
  if (fits(parsed)) return { payload: parsed }
  const possible = name === 'heartbeat' ? withoutImpossibleFields(parsed) : undefined
  if (fits(possible)) return { payload: possible, rewritten: Buffer.from(JSON.stringify(possible)) }
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
  return Check(RequestId, id) && unsoundnessOf(id) === undefined ? { id } : {}
}
