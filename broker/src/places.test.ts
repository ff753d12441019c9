import { expect, it } from 'vitest'
import { createPlaces } from './places.ts'

it('gives each group its own places', () => {
  const places = createPlaces({ perGroup: 1 })
  const leave = places.take('desk')
  expect(leave).toBeDefined()
  expect(places.take('desk')).toBeUndefined()
  expect(places.take('hall')).toBeDefined()
  leave?.()
  expect(places.take('desk')).toBeDefined()
})

it('takes back a place once, however often it is given back', () => {
  const places = createPlaces({ perGroup: 2 })
  const giveBack = places.take('all')
  expect(places.take('all')).toBeDefined()
  giveBack?.()
  giveBack?.()
  expect(places.take('all')).toBeDefined()
  expect(places.take('all')).toBeUndefined()
})
