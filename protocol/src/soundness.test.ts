import { describe, expect, test } from 'vitest'
import { MAX_DEPTH, unsoundnessOf } from './soundness.ts'

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))

describe('a document', () => {
  test.each([
    [{ a: ['é', '😀', 1, null, true, {}] }],
    ['text'],
    [0],
    [null],
    [undefined],
    [nested(MAX_DEPTH)],
  ])('is sound: %j', (value) => expect(unsoundnessOf(value)).toBeUndefined())

  test.each([
    [{ a: { b: ['x', 'y\0'] } }, '/a/b/1', 'nul'],
    [{ a: '\ud83d' }, '/a', 'lone-surrogate'],
    [{ a: '\ude00\ud83d' }, '/a', 'lone-surrogate'],
    [{ 'a/b~c': '\udfff' }, '/a~1b~0c', 'lone-surrogate'],
    [{ 'x\ud800': 1 }, '/x\ud800', 'lone-surrogate'],
    [{ 'x\0': 1 }, '/x\0', 'nul'],
    ['\ud800', '', 'lone-surrogate'],
    [{ a: [1, JSON.parse('1e400')] }, '/a/1', 'not-finite'],
    [{ a: Number.NaN }, '/a', 'not-finite'],
  ])('is not sound: %j', (value, pointer, reason) => {
    expect(unsoundnessOf(value)).toEqual({ pointer, reason })
  })

  test('must not be nested too deeply', () => {
    for (const depth of [MAX_DEPTH + 1, 5_000, 200_000])
      expect(unsoundnessOf({ a: nested(depth - 1) })).toMatchObject({ reason: 'too-deep' })
    const objects: unknown = JSON.parse('{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000))
    expect(unsoundnessOf(objects)).toEqual({ pointer: '/a'.repeat(MAX_DEPTH), reason: 'too-deep' })
  })

  test('is not searched if it is binary', () => {
    expect(unsoundnessOf(new Uint8Array(5_000_000))).toBeUndefined()
  })
})
