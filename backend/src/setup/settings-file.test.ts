import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeText, type readSettings, remarksOnNames } from './settings-file.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'escale-settings-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** The settings that a process reads in a folder with this `.env`. */
async function readBeside(file: string | Buffer, env: NodeJS.ProcessEnv = {}) {
  writeFileSync(join(dir, '.env'), file)
  const module = fileURLToPath(new URL('settings-file.ts', import.meta.url))
  const script = `const { readSettings } = await import(${JSON.stringify(module)}); process.stdout.write(JSON.stringify(readSettings()))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: dir,
    env: { PATH: process.env['PATH'], ...env },
  })
  return JSON.parse(stdout) as ReturnType<typeof readSettings>
}

const TEXT =
  'ESCALE_HOST=0.0.0.0\r\nESCALE_ADMIN_PASSWORD="mot de passe à l’été"\r\nESCALE_HTTP_PORT=3001\r\n'
const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16()

describe('.env', () => {
  it.each([
    ['UTF-8', Buffer.from(TEXT)],
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${TEXT}`)],
    ['UTF-16 of Notepad', Buffer.from(`\uFEFF${TEXT}`, 'utf16le')],
    ['UTF-16, big end first', utf16be(`\uFEFF${TEXT}`)],
    ['lines that end as on an old Macintosh', Buffer.from(TEXT.replaceAll('\n', ''))],
    ['names behind blanks of a web page', Buffer.from(TEXT.replace(/^/gm, '\u00a0\u200b'))],
  ])('is read completely: %s', async (_, bytes) => {
    const { environment, remarks } = await readBeside(bytes)
    expect(environment).toMatchObject({
      ESCALE_HOST: '0.0.0.0',
      ESCALE_ADMIN_PASSWORD: 'mot de passe à l’été',
      ESCALE_HTTP_PORT: 3001,
    })
    expect(remarks).toEqual([])
  })

  it('may be in the encoding of western Windows', () => {
    expect(decodeText(Buffer.from('ESCALE_ADMIN_PASSWORD=été', 'latin1'))).toBe('ESCALE_ADMIN_PASSWORD=été')
  })

  it('is overridden by the environment', async () => {
    const { environment } = await readBeside(TEXT, { ESCALE_HOST: '127.0.0.9' })
    expect(environment.ESCALE_HOST).toBe('127.0.0.9')
  })

  it('reports its entries without effect', async () => {
    const { remarks } = await readBeside('ESCALE_HOST 0.0.0.0\n# ESCALE_HOST 1\nESCALE_PORT_HTTP=1\n')
    expect(remarks.map(({ french }) => french)).toEqual([
      expect.stringContaining('.env, ligne 1'),
      expect.stringContaining('ESCALE_PORT_HTTP'),
    ])
  })
})

describe('an unknown name that begins like a setting', () => {
  it.each([
    ['ESCALE_HTPP_PORT', 'ESCALE_HTTP_PORT'],
    ['ESCALE_DATADIR', 'ESCALE_DATA_DIR'],
    ['escale_host', 'ESCALE_HOST'],
    ['ESCALE-HOST', 'ESCALE_HOST'],
    ['ESCALE_ADMIN_PASSWORT', 'ESCALE_ADMIN_PASSWORD'],
    ['ESCALE_REDIS', 'ESCALE_REDIS_URL'],
  ])('is reported with the most similar setting: %s', (name, nearest) => {
    const [remark] = remarksOnNames([name])
    expect(remark?.french).toContain(`pensiez-vous à ${nearest}`)
    expect(remark?.english).toContain(`did you mean ${nearest}?`)
  })

  it('is reported alone if no setting is similar', () => {
    expect(remarksOnNames(['ESCALE_COFFEE_MACHINE'])[0]?.english).toContain('.env.example')
  })

  it('is not reported if it belongs to another program', () => {
    const names = [
      'ESCALE_AGENT_SERVER',
      'ESCALE_TEST_SUMMARY',
      'ESCALE_HOST',
      'ESCALATOR',
      'PATH',
      'ESCALE_FLOWS_PORT',
    ]
    expect(remarksOnNames(names)).toEqual([])
  })
})
