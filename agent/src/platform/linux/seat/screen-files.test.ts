import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prepareScreenKey, readScreenKey, writeStartPage } from './screen-files.ts'

const run = promisify(execFile)
const NOBODY = 65_534
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'escale-runtime-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('the key of the screen', () => {
  it('is made once, and kept when the agent starts again', async () => {
    expect(await readScreenKey(folder)).toBeUndefined()
    const key = await prepareScreenKey(folder)
    expect(key).toMatch(/^[0-9a-f]{64}$/)
    expect(await prepareScreenKey(folder)).toBe(key)
    await writeStartPage('http://127.0.0.1:680/', key, folder)
    expect(await readFile(join(folder, 'start.html'), 'utf8')).toContain(key)
  })

  it.runIf(process.getuid?.() === 0)('is read by no other user, even in a folder that is open', async () => {
    await writeStartPage('http://127.0.0.1:680/', await prepareScreenKey(folder), folder)
    await chmod(folder, 0o755)
    for (const name of ['screen-key', 'start.html']) {
      const path = join(folder, name)
      expect((await stat(path)).mode & 0o777).toBe(0o600)
      await expect(run('cat', [path], { uid: NOBODY, gid: NOBODY })).rejects.toThrow('Permission denied')
    }
  })
})
