import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { AGENT_VERSION } from './agent-version.ts'
import { flagNames, readCommandLine } from './flags.ts'
import { helpText } from './help.ts'
import { SettingsError } from './settings-error.ts'
import { readSettings } from './settings.ts'

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

  it('allow power commands with the kiosk or --manage-power, never with --no-kiosk alone', () => {
    const mayControlPower = (args: string[]) => read(['run', ...args]).settings.mayControlPower
    expect(mayControlPower([])).toBe(true)
    expect(mayControlPower(['--no-kiosk'])).toBe(false)
    expect(mayControlPower(['--no-kiosk', '--manage-power'])).toBe(true)
  })

  it('keep the screen’s port from the visitor’s programs when the lock has a seat of its own', () => {
    expect(read(['--seat-lock']).settings).toMatchObject({ hasSeatLock: true, screenPort: 680 })
    expect(read(['--seat-lock', '--screen-port', '700']).settings.screenPort).toBe(700)
    expect(read([]).settings).toMatchObject({ hasSeatLock: false, screenPort: 4680 })
  })

  it.each([
    ['an unknown flag', ['run', '--sever', 'x']],
    ['an unknown command', ['start']],
    ['a server that is no address', ['--server', 'pc-serveur']],
    ['a port out of range', ['--screen-port', '70000']],
    ['a port that a visitor may take', ['--seat-lock', '--screen-port', '4680']],
    ['a flag without its value', ['--server']],
    ['a switch with a value', ['--no-kiosk=x']],
    ['a MAC address that is none', ['--mac', 'pc-01']],
    ['a MAC address that names nobody', ['--mac', '00:00:00:00:00:00']],
    ['a fingerprint that is none', ['--ca-fingerprint', 'ab:cd']],
    [
      'a fingerprint for a server without encryption',
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

  it('take the site key from a file, and the nearer source wins', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'escale-settings-'))
    const keyFile = join(dataDir, 'key')
    await writeFile(keyFile, '\ufeffdrawn-Key_1\r\n')
    const key = (args: string[], env = {}) =>
      read(['--data-dir', dataDir, ...args], env).settings.enrolmentKey
    expect(key(['--enrolment-key-file', keyFile])).toBe('drawn-Key_1')
    expect(key([], { ESCALE_AGENT_ENROLMENT_KEY_FILE: keyFile })).toBe('drawn-Key_1')
    expect(key(['--enrolment-key-file', keyFile], { ESCALE_AGENT_ENROLMENT_KEY: 'env' })).toBe('drawn-Key_1')
    expect(key(['--enrolment-key', '-begins-with-a-dash'])).toBe('-begins-with-a-dash')
    expect(key([], { ESCALE_AGENT_ENROLMENT_KEY: '' })).toBeUndefined()
    await writeFile(join(dataDir, 'agent.json'), JSON.stringify({ mqttSecretFile: keyFile }))
    expect(read(['--data-dir', dataDir]).settings.mqttSecret).toBe('drawn-Key_1')
  })

  it.each([
    ['no file', undefined, 'does not exist'],
    ['an empty file', '\n', 'does not hold one secret alone'],
    ['a file of two lines', 'a\nb\n', 'does not hold one secret alone'],
  ])('refuse %s as a site key', async (_, content, reason) => {
    const path = join(await mkdtemp(join(tmpdir(), 'escale-settings-')), 'key')
    if (content !== undefined) await writeFile(path, content)
    expect(() => read(['--enrolment-key-file', path])).toThrow(reason)
  })

  it.each([
    ['http://192.168.1.5:3000', true],
    ['http://serveur:3000', true],
    ['http://127.0.0.1:3000', false],
    ['http://[::1]:3000', false],
    ['http://localhost:3000', false],
    ['https://192.168.1.5:3443', false],
  ])('warn that %s is not encrypted: %s', (server, isWarned) => {
    const { warnings } = read(['--server', server])
    expect(warnings.map(({ en }) => en).filter((text) => text.includes('not encrypted'))).toHaveLength(
      isWarned ? 1 : 0,
    )
  })
})

describe('the place of agent.json', () => {
  const root = { env: {}, platform: 'linux' as const, isRoot: true }

  it('is the one that --config names, which must exist', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'escale-settings-'))
    const path = join(folder, 'other.json')
    expect(() => read(['--config', path])).toThrow('does not exist')
    await writeFile(path, JSON.stringify({ server: 'https://a', dataDir: folder }))
    for (const { settings } of [read(['--config', path]), read([], { ESCALE_AGENT_CONFIG: path })])
      expect(settings).toMatchObject({ server: 'https://a', dataDir: folder })
  })

  it('may hold a form that is not filled in: an empty text sets nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'escale-settings-'))
    const form = { server: '', enrolmentKeyFile: '', caFingerprint: '', screenPort: '' }
    await writeFile(join(folder, 'agent.json'), JSON.stringify(form))
    const { settings } = readSettings(['--data-dir', folder], root)
    expect(settings).toEqual({ ...readSettings([], root).settings, dataDir: folder })
  })

  it('is no setting in the file itself', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'escale-settings-'))
    await writeFile(join(folder, 'agent.json'), '{"config": "/etc/other.json"}')
    const { warnings } = readSettings(['--data-dir', folder], root)
    expect(warnings.map(({ en }) => en)).toEqual(['config sets nothing'])
  })
})

describe('the command line', () => {
  it.each([
    [[], 'run'],
    [['doctor'], 'doctor'],
    [['--help'], 'help'],
    [['-h', 'run'], 'help'],
    [['run', '--server', 'https://a', '--help'], 'help'],
    [['--version'], 'version'],
  ])('%j asks for %s', (args, verb) => {
    expect(readCommandLine(args).verb).toBe(verb)
  })

  it('has help with every option in both languages', () => {
    const [french = '', english = ''] = helpText().split('Usage: ')
    for (const page of [french, english])
      for (const flag of flagNames)
        expect(page.match(new RegExp(`^  --${flag}\\b.*  \\S`, 'm'))).not.toBeNull()
  })
})

describe('an agent.json that people edit', () => {
  const folderWith = async (content: string | Buffer) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'escale-settings-'))
    await writeFile(join(dataDir, 'agent.json'), content)
    return dataDir
  }
  const json = '{"server": "https://médiathèque:3443"}'
  const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16()

  it.each([
    ['UTF-8', Buffer.from(json)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${json}`)],
    ['UTF-16, little end first', Buffer.from(`\ufeff${json}`, 'utf16le')],
    ['UTF-16, big end first', utf16be(`\ufeff${json}`)],
    ['UTF-16 without a mark', Buffer.from(json, 'utf16le')],
    ['UTF-16, big end first, without a mark', utf16be(json)],
  ])('is read in %s', async (_, content) => {
    const dataDir = await folderWith(content)
    expect(read(['--data-dir', dataDir]).settings.server).toBe('https://xn--mdiathque-53af:3443')
  })

  it.each<[string, string | Buffer, string]>([
    ['a list', '[1]', 'is not a JSON object'],
    ['nothing in it', '', 'line 1'],
    ['a comma missing', '{\n"server": "https://a"\n"mac": "b"\n}', 'line 3'],
    ['a comma too many', '{\n"server": "https://a",\n}', 'line 3'],
    ['its end missing', '{\n"server": "https://a"', 'line 2'],
    ['typographic quotes', '{\n"server":\n“https://a”\n}', 'line 3'],
    ['a word without quotes', '{\n"noKiosk": oui\n}', 'line 2'],
    ['a Windows path', '{\n"dataDir": "C:\\Escale"\n}', 'line 2'],
    ['Latin-1 letters', Buffer.from(json, 'latin1'), 'is not UTF-8 text'],
    ['a list as a value', '{"server": ["https://a"]}', 'server wants a text'],
    ['a switch that is neither', '{"noKiosk": "peut-être"}', '--no-kiosk is true or false'],
  ])('with %s is refused by a sentence that names the place', async (_, content, place) => {
    const dataDir = await folderWith(content)
    const given = () => read(['--data-dir', dataDir])
    expect(given).toThrow(SettingsError)
    expect(given).toThrow(place)
  })

  it('and the environment: unknown names give a warning with the right name', async () => {
    const dataDir = await folderWith('{"enrollmentKey": "k", "screen_port": 7000, "colour": "blue"}')
    const env = { ESCALE_AGENT_SEVER: 'https://a', ESCALE_AGENT_MAC: '02:00:00:00:00:01', ESCALE_HOST: 'x' }
    const { warnings } = read(['--data-dir', dataDir], env)
    expect(warnings.map(({ en }) => en)).toEqual([
      'ESCALE_AGENT_SEVER sets nothing: did you mean ESCALE_AGENT_SERVER?',
      'enrollmentKey sets nothing: did you mean enrolmentKey?',
      'screen_port sets nothing: did you mean screenPort?',
      'colour sets nothing',
    ])
  })
})

it('the version sent to the server is the package’s', () => {
  expect(AGENT_VERSION).toBe(manifest.version)
})
