import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockFolder, lockSite } from './site-lock.ts'

const MODULE = fileURLToPath(new URL('site-lock.ts', import.meta.url))
const log = pino({ level: 'silent' })

let folder: string
let others: ChildProcess[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'escale-lock-'))
  others = []
})
afterEach(() => {
  for (const other of others) other.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Another process that holds the lock, or its message why it cannot. */
async function startOther(isShared = false): Promise<{ said: string; kill(): Promise<void> }> {
  const script = `
    const { lockSite } = await import(${JSON.stringify(MODULE)})
    const log = { warn() {}, error() {}, debug() {} }
    try {
      await lockSite({ folder: ${JSON.stringify(folder)}, databaseUrl: '', isShared: ${isShared}, log })
      process.stdout.write('taken')
      setInterval(() => {}, 1000)
    } catch (err) { process.stdout.write(err.message) }`
  const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  others.push(other)
  const [said] = (await once(other.stdout, 'data')) as [Buffer]
  return {
    said: String(said),
    async kill() {
      other.kill('SIGKILL')
      await once(other, 'close')
    },
  }
}

const take = (isShared = false) => lockSite({ folder, databaseUrl: '', isShared, log })

describe('a data folder', () => {
  it('has one server: a second one is refused with the process id of the first', async () => {
    const lock = await take()
    const { said } = await startOther()
    expect(said).toMatch(/^Un serveur tourne déjà sur le dossier .* \(processus \d+\)/)
    expect(said).toContain(`(process ${process.pid})`)
    await lock.release()
    expect((await startOther()).said).toBe('taken')
  })

  it('is free again as soon as its server is killed, and the next server notices that', async () => {
    const { said, kill } = await startOther()
    expect(said).toBe('taken')
    await kill()
    const lock = await take()
    expect(Date.parse(lock.crashedSince ?? '')).not.toBeNaN()
    await lock.release()
    const next = await take()
    expect(next.crashedSince).toBeUndefined()
    await next.release()
  })

  it('is shared only by servers that are configured for it', async () => {
    const lock = await take(true)
    expect((await startOther(true)).said).toBe('taken')
    expect(await lockFolder(folder, 'alone', 0)).toBeUndefined()
    expect(existsSync(join(folder, 'server.running'))).toBe(false)
    await lock.release()
  })
})
