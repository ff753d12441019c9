import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it, vi } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'escale-job-'))
const script = fileURLToPath(new URL('run-job.ts', import.meta.url))
const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, [script, ...args], {
    env: { ...process.env, ESCALE_DATA_DIR: folder, DATABASE_URL: '' },
  })

vi.setConfig({ testTimeout: 30_000 })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('npm run job', () => {
  it('runs a job on a new data folder, and prints its result', async () => {
    const { stdout, stderr } = await run('old_sessions')
    expect(stdout).toBe('old_sessions: nothing to purge\n')
    expect(stderr).toBe('')
  })

  it('lists the known jobs when the name is unknown', async () => {
    const failed = await run('vacuum').catch((err: unknown) => err as { code: number; stderr: string })
    expect(failed).toMatchObject({ code: 2 })
    expect(failed.stderr).toContain('Tâche inconnue')
    expect(failed.stderr).toContain('monthly_archive')
  })
})
