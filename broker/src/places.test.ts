import { expect, it } from 'vitest'
import { createPlaces } from './places.ts'

it('gives one place under each name, or none under any', () => {
  const places = createPlaces()
  const first = places.take({ all: 2, desk: 1 })
  expect(first).toBeDefined()
  expect(places.take({ all: 2, desk: 1 })).toBeUndefined()
  // The refusal has taken nothing under the other name.
  const second = places.take({ all: 2, hall: 1 })
  expect(second).toBeDefined()
  expect(places.take({ all: 2, street: 1 })).toBeUndefined()
  first?.()
  expect(places.take({ all: 2, desk: 1 })).toBeDefined()
})

it('takes back a place once, however often it is given back', () => {
  const places = createPlaces()
  const giveBack = places.take({ all: 2 })
  expect(places.take({ all: 2 })).toBeDefined()
  giveBack?.()
  giveBack?.()
  expect(places.take({ all: 2 })).toBeDefined()
  expect(places.take({ all: 2 })).toBeUndefined()
})
