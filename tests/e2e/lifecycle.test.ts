import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { isRunning, processTree } from '../support/process-tree.ts'
import { READY, freeListeners } from '../support/server.ts'
import { ROOT, spawned, type Spawned } from '../support/spawned.ts'

const STOP_WITHIN_MS = 3_000
const START_WITHIN_MS = 60_000

let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'escale-life-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

/** Starts a server as from another terminal, and waits until it is ready. */
async function start(
  command: string,
  args: string[],
): Promise<{ npm: Spawned; pids: number[]; url: string }> {
  const { settings, http } = await freeListeners()
  const env = { ...settings, ESCALE_DATA_DIR: dataDir }
  const npm = spawned(command, args, { env, isGroupLeader: true })
  onTestFinished(() => signalGroup(npm, 'SIGKILL'))
  await npm.waitFor(READY, START_WITHIN_MS)
  const pids = processTree(npm.child.pid!).map(({ pid }) => pid)
  return { npm, pids, url: `http://127.0.0.1:${http}` }
}

const npmStart = () => start('npm', ['start'])

function signalGroup(npm: Spawned, signal: NodeJS.Signals): void {
  try {
    process.kill(-npm.child.pid!, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const allGone = (pids: number[]) =>
  vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), { timeout: STOP_WITHIN_MS, interval: 50 })

// Without an installation made by `npm test`, npm start would install while other tests run.
const isInstalled = existsSync(join(ROOT, 'node_modules', '.escale-installed'))

describe.skipIf(process.platform !== 'linux')('npm start', () => {
  beforeEach((context) => {
    context.skip(!isInstalled, 'needs an installation made by `npm test`')
  })

  test('prints the addresses when everything answers, and prints the first password only once', async () => {
    const { npm, url } = await npmStart()
    const ready = READY.exec(npm.output())?.[0] ?? ''
    expect(ready).toContain(url)
    expect(ready).toMatch(/mqtt:\/\/127\.0\.0\.1:\d+/)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect((await fetch(url)).headers.get('content-type')).toContain('text/html')
    const first = npm.output()
    signalGroup(npm, 'SIGINT')
    await npm.ended

    const again = await npmStart()
    const password = first.split('\n').find((line) => /mot de passe|password/i.test(line))
    expect(password).toBeDefined()
    expect(again.npm.output()).not.toMatch(/mot de passe|password/i)
  })

  test('prints the first password even if an earlier start failed because its port was in use', async () => {
    const { settings, http } = await freeListeners()
    const other = createServer().listen(http, '127.0.0.1')
    await once(other, 'listening')
    const env = { ...settings, ESCALE_DATA_DIR: dataDir }
    const failed = spawned(process.execPath, ['launch.mjs', 'start'], { env })
    expect(await failed.ended).toBe(1)
    expect(failed.output()).toContain(`Le port ${http} est déjà pris`)
    await once(other.close(), 'close')

    const again = await start(process.execPath, ['launch.mjs', 'start'])
    expect(again.npm.output()).toContain('Premier démarrage')
  })

  test('ends all its processes on Ctrl-C, even if it is pressed twice', async () => {
    const { npm, pids } = await npmStart()
    signalGroup(npm, 'SIGINT')
    signalGroup(npm, 'SIGINT')
    await allGone(pids)
    // The shell between npm and the launcher may itself end by the signal.
    expect([0, 'SIGINT']).toContain(await npm.ended)
  })

  test('exits with 0 after Ctrl-C', async () => {
    const { npm: launcher } = await start(process.execPath, ['launch.mjs', 'start'])
    signalGroup(launcher, 'SIGINT')
    signalGroup(launcher, 'SIGINT')
    expect(await launcher.ended).toBe(0)
  })

  test('keeps every process in its own process group, and ends when npm is killed', async () => {
    const { npm, pids } = await npmStart()
    const groups = new Set(processTree(npm.child.pid!).map(({ groupId }) => groupId))
    expect([...groups]).toEqual([npm.child.pid])
    expect(pids.length).toBeGreaterThan(2)
    npm.child.kill('SIGKILL')
    await allGone(pids)
  })

  test('leaves no server running when its launcher is killed', async () => {
    const { npm, pids } = await npmStart()
    const launcher = processTree(npm.child.pid!).find(({ parentPid }) => parentPid === npm.child.pid)
    process.kill(launcher!.pid, 'SIGKILL')
    await allGone(pids)
  })
})
