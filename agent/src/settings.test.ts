import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { AGENT_VERSION } from './agent-version.ts'
import { readSettings, SettingsError } from './settings.ts'

const surroundings = (env: Record<string, string> = {}) => ({ env, platform: 'linux' as const, isRoot: true })
const read = (args: string[], env: Record<string, string> = {}) => readSettings(args, surroundings(env))

describe('the agent’s settings', () => {
  it('are taken from the flags, then the environment, then agent.json', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'escale-settings-'))
    const file = { server: 'http://file:1', enrolmentKey: 'file', screenPort: 7000, noKiosk: true }
    await writeFile(join(dataDir, 'agent.json'), JSON.stringify(file))
    const env = { ESCALE_AGENT_SERVER: 'http://env:2', ESCALE_AGENT_ENROLMENT_KEY: 'env' }
    const { settings } = read(['run', '--server', 'http://flag:3/x', '--data-dir', dataDir], env)
    expect(settings).toMatchObject({
      server: 'http://flag:3',
      enrolmentKey: 'env',
      screenPort: 7000,
      hasKiosk: false,
      dataDir,
    })
  })

  it('are in charge of the machine with the kiosk or when told so, never by --no-kiosk alone', () => {
    const isInCharge = (args: string[]) => read(['run', ...args]).settings.isInCharge
    expect(isInCharge([])).toBe(true)
    expect(isInCharge(['--no-kiosk'])).toBe(false)
    expect(isInCharge(['--no-kiosk', '--manage-power'])).toBe(true)
  })

  it.each([
    ['an unknown flag', ['run', '--sever', 'x']],
    ['an unknown command', ['start']],
    ['a server that is no address', ['--server', 'pc-serveur']],
    ['a port out of range', ['--screen-port', '70000']],
    ['a fingerprint that is none', ['--ca-fingerprint', 'ab:cd']],
    [
      'a fingerprint for what is not encrypted',
      ['--server', 'http://a:1', '--ca-fingerprint', 'ab'.repeat(32)],
    ],
  ])('refuse %s in a sentence', (_, args) => {
    expect(() => read([...args, '--data-dir', '/nonexistent'])).toThrow(SettingsError)
  })

  it('take a fingerprint in any common notation', () => {
    const hex = '00ff1b'.repeat(10) + 'a0b1'
    const pairs = (hex.match(/../g) ?? []).join(':').toUpperCase()
    const base64 = Buffer.from(hex, 'hex').toString('base64')
    for (const given of [
      hex,
      pairs,
      pairs.replaceAll(':', ' '),
      `SHA256:${base64.slice(0, -1)}`,
      `sha256 Fingerprint=${pairs}`,
    ])
      expect(read(['--server', 'https://a', '--ca-fingerprint', given]).settings.caFingerprint).toBe(hex)
  })

  it('refuse an agent.json that is not an object', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'escale-settings-'))
    await writeFile(join(dataDir, 'agent.json'), '[1')
    expect(() => read(['--data-dir', dataDir])).toThrow('is not a JSON object')
  })
})

it('the version told to the server is the package’s', () => {
  expect(AGENT_VERSION).toBe(manifest.version)
})
