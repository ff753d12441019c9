import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freePorts, ROOT, spawned, type Spawned } from '../support/spawned.ts'

const SECRET = 'a-secret-that-nobody-may-see'
const UNUSED_URL = 'http://127.0.0.1:9'
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

describe('a second agent on the same data folder', () => {
  const args = ['--server', UNUSED_URL, '--enrolment-key', SECRET]

  it('does not start, and says so, while the first one goes on', async () => {
    const first = start(args)
    await first.waitFor(/^escale-agent ready/m)
    const second = start(args)
    expect(await second.ended).toBe(9)
    expect(second.output()).toMatch(/un agent tourne déjà[^]*an agent already runs/)
    expect(first.child.exitCode).toBeNull()
  })

  it('takes the place of one that was killed', async () => {
    const first = start(args)
    await first.waitFor(/^escale-agent ready/m)
    await first.kill()
    await start(args).waitFor(/^escale-agent ready/m)
  })
})

describe.skipIf(process.platform !== 'linux')('the process list of an agent', () => {
  it.each<[string, string[], NodeJS.ProcessEnv]>([
    ['as a flag', ['--enrolment-key', SECRET], {}],
    ['as a flag with its value', [`--enrolment-key=${SECRET}`], {}],
    ['as its own secret', ['--station-id', 'pc-01', '--mqtt-secret', SECRET], {}],
    ['in the environment', [], { ESCALE_AGENT_ENROLMENT_KEY: SECRET }],
  ])('shows no secret given %s', async (_, args, env) => {
    const { child, waitFor, output } = start(['--server', UNUSED_URL, ...args], env)
    await waitFor(/^escale-agent ready/m)
    const shown = await readFile(`/proc/${child.pid}/cmdline`, 'utf8')
    expect(shown).not.toBe('')
    expect(shown).not.toContain(SECRET)
    expect(output()).not.toContain(SECRET)
  })

  it('shows no secret that the launcher passes to the agent', async () => {
    const launcher = spawned(
      process.execPath,
      [
        join(await fakeInstallation(), 'launch.mjs'),
        ...['agent', 'run', '--enrolment-key', SECRET, `--mqtt-secret=${SECRET}`],
      ],
      { env: { npm_lifecycle_event: 'agent' } },
    )
    running.push(launcher)
    const [, pid = ''] = await launcher.waitFor(/^pid (\d+) has both$/m)
    for (const one of [launcher.child.pid, pid]) {
      const shown = await readFile(`/proc/${one}/cmdline`, 'utf8')
      expect(shown).not.toBe('')
      expect(shown).not.toContain(SECRET)
    }
    expect(launcher.output()).toMatch(/npm montre cette clé[^]*npm shows this key/)
  })

  /** A folder with the launcher, marked as installed, and an agent that prints whether it got both secrets. */
  async function fakeInstallation(): Promise<string> {
    const folder = await mkdtemp(join(dataDir, 'root-'))
    const stamp = createHash('sha256').update('/package-lock.json').update('{}').digest('hex')
    const files = {
      'package.json': await readFile(join(ROOT, 'package.json'), 'utf8'),
      'launch.mjs': await readFile(join(ROOT, 'launch.mjs'), 'utf8'),
      'package-lock.json': '{}',
      'node_modules/.escale-installed': `${stamp} all`,
      'agent/dist/.escale-built': stamp,
      'agent/src/main.ts': `const { ESCALE_AGENT_ENROLMENT_KEY: key, ESCALE_AGENT_MQTT_SECRET: secret } = process.env
        if (key === '${SECRET}' && secret === key) console.log('pid ' + process.pid + ' has both')
        process.on('disconnect', () => process.exit())`,
    }
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), content)
    }
    return folder
  }
})

describe('an agent that cannot start', () => {
  it.each<[string, number, () => string[], RegExp]>([
    [
      'a data folder in which no folder can be created',
      5,
      () => ['--data-dir', '/proc/x'],
      /\/proc\/x .*choisissez.* · .*choose/,
    ],
    ['a data folder below a file', 5, () => ['--data-dir', `${dataDir}/file/below`], /ENOTDIR|EEXIST/],
    [
      'a server address that is not a URL',
      3,
      () => ['--server', 'pc-serveur'],
      /attend une adresse .* · .*wants an address/,
    ],
    [
      'a key file that does not exist',
      4,
      () => ['--enrolment-key-file', `${dataDir}/none`],
      /n’existe pas.* · .*does not exist/,
    ],
    ['an option that does not exist', 2, () => ['--sever', 'x'], /inconnue.*--server.* · unknown.*--server/],
    [
      'a settings file that does not exist',
      4,
      () => ['--config', `${dataDir}/none`],
      /n’existe pas.* · .*does not exist/,
    ],
  ])('prints the reason in two languages and exits with its own code: %s', async (_, code, args, reason) => {
    await writeFile(join(dataDir, 'file'), '')
    const one = start([
      '--server',
      UNUSED_URL,
      ...(args().includes('--enrolment-key-file') ? [] : ['--enrolment-key', 'k']),
      ...args(),
    ])
    expect(await one.ended).toBe(code)
    expect(one.output().trim().split('\n')).toHaveLength(1)
    expect(one.output()).toMatch(reason)
  })
})

describe.skipIf(process.platform !== 'linux')('an agent with a kiosk', () => {
  const own = ['--server', UNUSED_URL, '--enrolment-key', 'k']
  /** A replacement for Chromium that runs this script. */
  async function fakeBrowser(script: string): Promise<NodeJS.ProcessEnv> {
    const folder = await mkdtemp(join(dataDir, 'bin-'))
    await writeFile(join(folder, 'chromium'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    return { PATH: `${folder}:${process.env.PATH}`, NODE: process.execPath }
  }
  const startKiosk = (env: NodeJS.ProcessEnv, port = '0') => {
    const args = ['run', '--data-dir', dataDir, '--screen-port', port, ...own]
    const one = spawned(process.execPath, ['agent/src/main.ts', ...args], { env })
    running.push(one)
    return one
  }

  it('is ready only when the browser has loaded the page, and restarts a browser that has ended', async () => {
    const script =
      'for url; do :; done; exec "$NODE" -e "fetch(process.argv[1] + \'api/state\', { headers: { accept: \'text/event-stream\' } }).then(({ body }) => body.getReader().read()).then(() => setTimeout(() => process.exit(3), 1000))" "$url"'
    const one = startKiosk(await fakeBrowser(script))
    await one.waitFor(/^escale-agent ready/m)
    expect(one.output().indexOf('the kiosk shows the screen')).toBeLessThan(
      one.output().indexOf('escale-agent ready'),
    )
    await one.waitFor(/it ended with 3[^]*the kiosk shows the screen/)
  })

  it('explains in the log and in doctor why the browser cannot start, and is not ready', async () => {
    const [port = 0] = await freePorts(1)
    const script =
      'echo "[1:1:ERROR:zygote_host_impl_linux.cc(100)] Running as root without --no-sandbox is not supported." >&2; exit 1'
    const one = startKiosk(await fakeBrowser(script), String(port))
    await one.waitFor(/Chromium does not run as root[^]*Chromium does not run as root/)
    expect(one.output()).not.toContain('escale-agent ready')
    const args = ['agent/src/main.ts', 'doctor', '--data-dir', dataDir, '--screen-port', String(port)]
    const doctor = spawned(process.execPath, args)
    expect(await doctor.ended).toBe(8)
    expect(doctor.output()).toMatch(/BAD kiosk does not show the screen: Chromium does not run as root/)
  })

  it('exits with a message in two languages when its port is in use', async () => {
    const [port = 0] = await freePorts(1)
    const first = start([...own, '--screen-port', String(port)])
    await first.waitFor(/^escale-agent ready/m)
    const otherFolder = ['--data-dir', join(dataDir, 'other')]
    const second = start([...own, ...otherFolder, '--screen-port', String(port)])
    expect(await second.ended).toBe(6)
    expect(second.output()).toMatch(/est déjà pris.* · .*is taken/)
    expect(second.output()).not.toMatch(/EADDRINUSE|at .*\.ts/)
  })
})
