import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Environment, readEnvironment } from './environment.ts'

describe('.env.example', () => {
  const text = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8')

  it('contains every setting once, in the order of the schema, with its default, commented out', () => {
    const shown = text.split('\n').filter((line) => /^#?[A-Z_]+=/.test(line))
    const expected = Object.entries(Environment.properties).map(
      ([name, schema]) => `#${name}=${(schema as { default?: string }).default ?? ''}`,
    )
    expect(shown).toEqual(expected)
  })

  it('explains each in French, then in English', () => {
    for (const block of text.trim().split('\n\n').slice(1)) {
      const lines = block.split('\n')
      expect(lines, block).toHaveLength(3)
      expect(lines[0], block).not.toMatch(/ [:;?!]/)
    }
  })
})

describe('settings', () => {
  it('have defaults, and an empty variable counts as not given', () => {
    const defaults = readEnvironment({})
    expect(readEnvironment({ ESCALE_HTTP_PORT: '', ESCALE_PLAIN_LAN: '' })).toEqual(defaults)
    expect(readEnvironment({ ESCALE_UNKNOWN: 'x', PATH: '/bin' })).toEqual(defaults)
  })

  it('are converted from text', () => {
    const read = readEnvironment({ ESCALE_HTTP_PORT: '0', ESCALE_PLAIN_LAN: 'true', ESCALE_HOST: '0.0.0.0' })
    expect(read).toMatchObject({ ESCALE_HTTP_PORT: 0, ESCALE_PLAIN_LAN: true, ESCALE_HOST: '0.0.0.0' })
  })

  it.each([
    ['ESCALE_HTTP_PORT', 'abc'],
    ['ESCALE_HTTP_PORT', '65536'],
    ['ESCALE_MQTT_PORT', '-1'],
    ['ESCALE_MQTT_PORT', '18.83'],
    ['ESCALE_PLAIN_LAN', 'maybe'],
    ['ESCALE_LOG_LEVEL', 'loud'],
    ['DATABASE_URL', 'foo'],
    ['DATABASE_URL', 'mysql://localhost/escale'],
    ['ESCALE_REDIS_URL', 'localhost:6379'],
    ['ESCALE_PUBLIC_URL', 'escale.example'],
    ['ESCALE_PUBLIC_URL', 'ftp://escale.example'],
    ['ESCALE_TRUST_PROXY', 'proxy.example'],
    ['ESCALE_TRUST_PROXY', '10.0.0.0/99'],
  ])('that are invalid are named: %s=%s', (name, value) => {
    expect(() => readEnvironment({ [name]: value })).toThrow(name)
  })

  it('have errors in French first, without terms of the schema', () => {
    const told = (env: NodeJS.ProcessEnv) => {
      try {
        readEnvironment(env)
      } catch (err) {
        return (err as Error).message.split('\n')
      }
      return []
    }
    expect(told({ ESCALE_HTTP_PORT: 'abc', ESCALE_PLAIN_LAN: 'oui' })).toEqual([
      'Réglage non valable\u00a0: ESCALE_HTTP_PORT doit être un nombre entier de 0 à 65535, pas «\u202fabc\u202f»\u202f; ESCALE_PLAIN_LAN doit être true ou false, pas «\u202foui\u202f».',
      'Invalid setting: ESCALE_HTTP_PORT must be a whole number from 0 to 65535, not “abc”; ESCALE_PLAIN_LAN must be true or false, not “oui”.',
    ])
    expect(told({ ESCALE_LOG_LEVEL: 'loud' })[0]).toContain('l’un de\u00a0: fatal, error')
  })

  it('for several servers need a shared database', () => {
    const ESCALE_REDIS_URL = 'redis://localhost'
    expect(() => readEnvironment({ ESCALE_REDIS_URL })).toThrow(/PostgreSQL.*DATABASE_URL=postgres/)
    const DATABASE_URL = 'postgres://escale@localhost/escale'
    expect(readEnvironment({ ESCALE_REDIS_URL, DATABASE_URL })).toMatchObject({
      ESCALE_REDIS_URL,
      DATABASE_URL,
    })
  })
})
