import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { spawned, type Spawned } from '../support/spawned.ts'

const SECRET = 'a-secret-that-nobody-may-see'
const NOBODY = 'http://127.0.0.1:9'
let dataDir: string
const running: Spawned[] = []

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'escale-agent-start-'))
})
afterEach(async () => {
  for (const one of running.splice(0)) await one.kill()
})
afterAll(() => rm(dataDir, { recursive: true }))

function start(args: string[], env: NodeJS.ProcessEnv = {}): Spawned {
  const own = ['run', '--data-dir', dataDir, '--screen-port', '0', '--no-kiosk']
  const one = spawned(process.execPath, ['agent/src/main.ts', ...own, ...args], { env })
  running.push(one)
  return one
}

describe.skipIf(process.platform !== 'linux')('the process list of an agent', () => {
  it.each<[string, string[], NodeJS.ProcessEnv]>([
    ['as a flag', ['--enrolment-key', SECRET], {}],
    ['as a flag with its value', [`--enrolment-key=${SECRET}`], {}],
    ['as its own secret', ['--station-id', 'pc-01', '--mqtt-secret', SECRET], {}],
    ['in the environment', [], { ESCALE_AGENT_ENROLMENT_KEY: SECRET }],
  ])('shows no secret given %s', async (_, args, env) => {
    const { child, waitFor, output } = start(['--server', NOBODY, ...args], env)
    await waitFor(/^escale-agent ready/m)
    const shown = await readFile(`/proc/${child.pid}/cmdline`, 'utf8')
    expect(shown).not.toBe('')
    expect(shown).not.toContain(SECRET)
    expect(output()).not.toContain(SECRET)
  })

  it('shows no secret of the launcher above it either', async () => {
    const args = ['launch.mjs', 'agent', 'run', '--server', NOBODY, '--enrolment-key', SECRET]
    const own = ['--data-dir', dataDir, '--screen-port', '0', '--no-kiosk']
    const env = { npm_lifecycle_event: 'agent' }
    const launcher = spawned(process.execPath, [...args, ...own], { env })
    running.push(launcher)
    await launcher.waitFor(/^escale-agent ready/m)
    expect(await readFile(`/proc/${launcher.child.pid}/cmdline`, 'utf8')).not.toContain(SECRET)
    const children = await readFile(`/proc/${launcher.child.pid}/task/${launcher.child.pid}/children`, 'utf8')
    const [agent = ''] = children.trim().split(' ')
    expect(await readFile(`/proc/${agent}/cmdline`, 'utf8')).not.toContain(SECRET)
    expect(launcher.output()).toMatch(/npm montre cette clé[^]*npm shows this key/)
  })
})

describe('an agent that cannot start', () => {
  it.each<[string, () => string[], RegExp]>([
    [
      'a data folder that takes no folders',
      () => ['--data-dir', '/proc/x'],
      /\/proc\/x .*choisissez.* · .*choose/,
    ],
    ['a data folder below a file', () => ['--data-dir', `${dataDir}/file/below`], /ENOTDIR|EEXIST/],
    ['a server that is none', () => ['--server', 'pc-serveur'], /attend une adresse .* · .*wants an address/],
    [
      'a key file that is not there',
      () => ['--enrolment-key-file', `${dataDir}/none`],
      /n’existe pas.* · .*does not exist/,
    ],
  ])('says why in two languages and ends with 2: %s', async (_, args, reason) => {
    await writeFile(join(dataDir, 'file'), '')
    const one = start([
      '--server',
      NOBODY,
      ...(args().includes('--enrolment-key-file') ? [] : ['--enrolment-key', 'k']),
      ...args(),
    ])
    expect(await one.ended).toBe(2)
    expect(one.output().trim().split('\n')).toHaveLength(1)
    expect(one.output()).toMatch(reason)
  })
})
