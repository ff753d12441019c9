import { describe, expect, it } from 'vitest'
import { isSameMachine } from './machine-marks.ts'

const saved = { system: 's', hardware: 'board-1', macs: ['02:00:00:00:00:01', '02:00:00:00:00:02'] }

describe('an identity belongs to', () => {
  it.each([
    ['the same machine', saved, true],
    ['a machine with another card', { ...saved, macs: ['02:00:00:00:00:09'] }, true],
    ['a machine with another board and the same card', { ...saved, hardware: 'board-2' }, true],
    ['a machine that uses one of its cards', { ...saved, macs: ['02:00:00:00:00:02'] }, true],
    ['a machine that tells nothing', { macs: [] }, true],
    ['a copied disk', { system: 's', hardware: 'board-2', macs: ['02:00:00:00:00:09'] }, false],
    ['a copied disk whose board tells nothing', { system: 's', macs: ['02:00:00:00:00:09'] }, false],
  ])('%s: %o, %s', (_, now, isSame) => {
    expect(isSameMachine(saved, now)).toBe(isSame)
  })

  it('the machine with the MAC address that the settings give', () => {
    const first = { ...saved, givenMac: '02:00:00:00:00:0a' }
    expect(isSameMachine(first, first)).toBe(true)
    expect(isSameMachine(first, { ...saved, givenMac: '02:00:00:00:00:0b' })).toBe(false)
  })
})
