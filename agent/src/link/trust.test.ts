import { describe, expect, it } from 'vitest'
import { isSameSite } from './trust.ts'

const PLAIN = { server: 'http://192.0.2.1:3000' }
const KNOWN = { server: 'https://escale.example' }

describe('what was given under one address', () => {
  it('is shown under another where nothing is encrypted anyway', () => {
    expect(isSameSite(PLAIN, { server: 'http://escale.local:3000' })).toBe(true)
  })

  it.each([
    ['plain, once it was encrypted', KNOWN, PLAIN],
    ['encrypted, once it was plain', PLAIN, KNOWN],
    ['vouched for by authorities that everybody has', KNOWN, { server: 'https://other.example' }],
  ])('is not shown where the other one is %s', (_name, given, now) => {
    expect(isSameSite(given, now)).toBe(false)
  })
})
