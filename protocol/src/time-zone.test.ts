import { expect, it } from 'vitest'
import { isTimeZone } from './time-zone.ts'

it.each([
  ['Europe/Paris', true],
  ['America/Guadeloupe', true],
  ['UTC', true],
  ['Europe/Atlantis', false],
  ['', false],
])('%j names a time zone: %j', (name, isOne) => {
  expect(isTimeZone(name)).toBe(isOne)
})
