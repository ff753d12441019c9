import { expect, it } from 'vitest'
import { createBackoff } from './backoff.ts'

const limits = { firstMs: 100, maxMs: 3_000, quick: { maxMs: 400, attempts: 4 } }
const waits = (random: () => number) => {
  const backoff = createBackoff(limits, random)
  return Array.from({ length: 9 }, () => backoff.nextMs())
}

it('waits longer each time, stays quick for a while, and then grows patient', () => {
  expect(waits(() => 1)).toEqual([100, 200, 400, 400, 800, 1_600, 3_000, 3_000, 3_000])
})

it('spreads each wait over its second half', () => {
  expect(waits(() => 0)).toEqual([50, 100, 200, 200, 400, 800, 1_500, 1_500, 1_500])
})

it('begins anew once it is reset, and stays finite for years', () => {
  const backoff = createBackoff(limits, () => 1)
  for (let attempt = 0; attempt < 100_000; attempt += 1) expect(backoff.nextMs()).toBeLessThanOrEqual(3_000)
  backoff.reset()
  expect(backoff.nextMs()).toBe(100)
})
