import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it, vi } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'escale-command-'))
const run = (name: string, args: string[], variables: NodeJS.ProcessEnv = {}) =>
  promisify(execFile)(process.execPath, [fileURLToPath(new URL(`${name}.ts`, import.meta.url)), ...args], {
    env: { ...process.env, ESCALE_DATA_DIR: folder, DATABASE_URL: '', INIT_CWD: folder, ...variables },
  }).then(
    () => expect.unreachable(`${name} understood ${args.join(' ')}`),
    (err: unknown) => err as { code: number; stderr: string },
  )

vi.setConfig({ testTimeout: 30_000 })
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a command of the terminal', () => {
  it.each([
    ['backup', ['--force'], '--force'],
    ['backup', ['a.tar.gz', 'b.tar.gz'], 'b.tar.gz'],
    ['restore', ['a.tar.gz', '--force'], '--force'],
    ['doctor', ['--fix'], '--fix'],
    ['audit-verify', ['7'], '7'],
    ['run-job', ['old_logs', 'old_sessions'], 'old_sessions'],
  ])('%s does nothing with the unknown arguments %j', async (name, args, strange) => {
    const { code, stderr } = await run(name, args)
    expect(code).toBe(2)
    expect(stderr).toContain(`Argument inconnu\u00a0: ${strange}\nUnknown argument: ${strange}`)
    expect(readdirSync(folder)).toEqual([])
  })

  it('cert reports a wrong option in both languages, and lists the valid ones', async () => {
    const { code, stderr } = await run('cert', ['--shwo'])
    expect(code).toBe(2)
    expect(stderr).toContain('Option inconnue ou incomplète\u00a0: --shwo')
    expect(stderr).toContain('npm run cert -- --show')
  })

  it('cert renews nothing when npm takes --show for its own option', async () => {
    const { code, stderr } = await run('cert', [], { npm_config_show: 'true', npm_lifecycle_event: 'cert' })
    expect(code).toBe(2)
    expect(stderr).toContain('npm run cert -- --show')
    expect(readdirSync(folder)).toEqual([])
  })
})
