import { expect, it } from 'vitest'
import { createReconnection, type Failure } from './reconnection.ts'

const delays = (failures: Failure[], random = () => 0.999_999) => {
  const reconnection = createReconnection(random)
  return failures.map((failure) => reconnection.delayMs(failure))
}
const times = (count: number, failure: Failure) => Array.from({ length: count }, () => failure)

it('is back within a second while a server may be restarting, and patient with one that is gone', () => {
  const waits = delays(times(40, 'refused'))
  expect(Math.max(...waits.slice(0, 30))).toBeLessThanOrEqual(1_000)
  expect(waits.at(-1)).toBe(15_000)
})

it('waits longer for a busy server, up to half a minute', () => {
  expect(delays(times(4, 'busy'))).toEqual([9_000, 27_000, 30_000, 30_000])
  expect(delays(times(3, 'busy'), () => 0)).toEqual([3_000, 3_000, 3_000])
})

it('stays patient with a busy server when attempts fail otherwise in between', () => {
  expect(delays(['busy', 'busy', 'refused', 'busy'])).toEqual([9_000, 27_000, 300, 30_000])
})

it('begins anew once the connection has been healthy', () => {
  const reconnection = createReconnection(() => 0.999_999)
  for (const failure of [...times(35, 'refused'), ...times(5, 'busy')]) reconnection.delayMs(failure)
  reconnection.recover()
  expect(reconnection.delayMs('refused')).toBe(300)
  expect(reconnection.delayMs('busy')).toBe(9_000)
})
