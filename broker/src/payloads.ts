import { isUtf8 } from 'node:buffer'
import { topicTable, unsoundnessOf, withoutImpossibleFields, type TopicName } from '@escale/protocol'
import { Check } from 'typebox/value'
import { Compile } from 'typebox/compile'

const names = Object.keys(topicTable) as TopicName[]
const validators = new Map(names.map((name) => [name, Compile(topicTable[name].payload)]))
const RequestId = topicTable.request.payload.properties.id

/** Why a payload is invalid, and the id of its request if it can be read. */
export interface PayloadFault {
  code: 'malformed-json' | 'invalid-body'
  id?: string
}

/** `rewritten` is the payload to forward if it differs from the received one. */
export type Parsed = { payload: unknown; rewritten?: Buffer } | { fault: PayloadFault }

/**
 * The payload of a message, checked with its topic's schema, or what is wrong with it. Impossible values are removed
 * from a heartbeat, which then still counts.
 */
export function parsePayload(name: TopicName, payload: string | Buffer): Parsed {
  const parsed = parseJson(payload)
  if (parsed === undefined) return { fault: { code: 'malformed-json' } }
  // Faults that no schema can find: lone surrogates, NUL, deep nesting.
  const fits = (value: unknown) =>
    validators.get(name)?.Check(value) === true && unsoundnessOf(value) === undefined
  if (fits(parsed)) return { payload: parsed }
  const possible = name === 'heartbeat' ? withoutImpossibleFields(parsed) : undefined
  if (fits(possible)) return { payload: possible, rewritten: Buffer.from(JSON.stringify(possible)) }
  return { fault: { code: 'invalid-body', ...idIn(parsed) } }
}

/** The id in an invalid message, whose schema was not checked. */
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
