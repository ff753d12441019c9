import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { TSchema } from 'typebox'
import { Check } from 'typebox/value'
import { clientFrames, serverFrames } from './live.ts'
import { automationOps } from './mqtt/automation.ts'
import { topicTable } from './mqtt/topics.ts'

const folder = new URL('../golden/', import.meta.url)
const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ''))
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Record<string, unknown>[]

const frames: Record<string, Record<string, TSchema>> = { live: serverFrames, 'live-client': clientFrames }

/** The schema of a golden message: that of its topic or of its frame type. */
function schemaOf(name: string, message: Record<string, unknown>): TSchema | undefined {
  const frame = frames[name]?.[String(message['type'])]
  if (frame) return frame
  return Object.hasOwn(topicTable, name) ? topicTable[name as keyof typeof topicTable].payload : undefined
}

describe('the golden messages', () => {
  it.each(names)('of %s fit their schema', (name) => {
    const messages = read(name)
    expect(messages.length).toBeGreaterThan(0)
    for (const message of messages) {
      const schema = schemaOf(name, message)
      expect(schema && Check(schema, message), JSON.stringify(message)).toBe(true)
    }
  })

  it('show every topic', () => {
    expect(names).toEqual(expect.arrayContaining(Object.keys(topicTable)))
  })

  it('show every op of automations, with params that fit', () => {
    const asked = new Map(read('automationRequest').map(({ op, params }) => [String(op), params]))
    expect([...asked.keys()]).toEqual(Object.keys(automationOps))
    for (const [op, { params }] of Object.entries(automationOps))
      expect(Check(params, asked.get(op)), op).toBe(true)
  })

  it.each(Object.keys(frames))('show every frame of %s', (name) => {
    const types = new Set(read(name).map(({ type }) => type))
    expect(types).toEqual(new Set(Object.keys(frames[name] ?? {})))
  })
})
