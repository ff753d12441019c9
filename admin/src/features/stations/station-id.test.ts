import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isStationId, stationIdFrom } from './station-id.ts'

it('makes a valid id from any name with a letter or a digit', () => {
  expect(stationIdFrom('Poste n° 3 (Étage)')).toBe('poste-n-3-etage')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (label) => {
      const id = stationIdFrom(label)
      expect(id === '' || isStationId(id)).toBe(true)
    }),
  )
})

it('refuses characters that a topic must not contain', () => {
  expect(['pc-1', 'PC-1', 'pc/1', 'a'.repeat(33), ''].map(isStationId)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ])
})
