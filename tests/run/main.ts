import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installFaketime } from '../support/faketime.ts'
import { installMosquitto } from '../support/mosquitto.ts'
import { installPostgres } from '../support/postgres.ts'
import { installQemuArm64 } from '../support/qemu-arm64.ts'
import { installRedis } from '../support/redis.ts'
import { ROOT } from '../support/spawned.ts'
import { sizesOfPackages } from './sizes.ts'
import type { Summary } from './summary.ts'

const CHECKS: readonly (readonly [string, ...string[]])[] = [
  ['types', 'typescript/bin/tsc', '-p', '.'],
  ['types of the admin', 'vue-tsc/bin/vue-tsc.js', '--noEmit', '-p', 'admin'],
  ['types of the station’s screen', 'vue-tsc/bin/vue-tsc.js', '--noEmit', '-p', 'agent/screen'],
  ['who imports what', '../tests/lint/structure.ts'],
  ['lint', 'eslint/bin/eslint.js', '.', '--max-warnings', '0'],
  ['format', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
]
/** With --strict, a skipped test fails the run, except for these reasons. */
const ACCEPTED_REASON = /needs (KVM|Wine|a netboot|a mount)/i

const say = (text: string) => process.stdout.write(`${text}\n`)

let running: ChildProcess | undefined

async function run(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<boolean> {
  const child = spawn(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  })
  running = child
  const [code] = (await once(child, 'close')) as [number | null]
  return code === 0
}

async function check(): Promise<string[]> {
  const failed: string[] = []
  for (const [title, script = '', ...args] of CHECKS) {
    const startedAt = performance.now()
    say(`• ${title}`)
    const isDone = await run(script, args)
    say(`  ${isDone ? '✓' : '✗'} ${title} (${((performance.now() - startedAt) / 1_000).toFixed(1)} s)`)
    if (!isDone) failed.push(title)
  }
  say('• sizes of source files, in lines')
  for (const line of sizesOfPackages()) say(`  ${line}`)
  return failed
}

async function test(filters: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Summary> {
  const folder = mkdtempSync(join(tmpdir(), 'escale-tests-'))
  const file = join(folder, 'summary.json')
  try {
    const isDone = await run('vitest/vitest.mjs', ['run', ...filters], { ...env, ESCALE_TEST_SUMMARY: file })
    const summary = JSON.parse(readFileSync(file, 'utf8')) as Summary
    if (!isDone && summary.failed === 0) summary.failed = 1
    return summary
  } catch (error) {
    say(`The test run failed: ${String(error)}`)
    return { passed: 0, failed: 1, skipped: [] }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function main([command, ...options]: readonly string[]): Promise<number> {
  if (command === 'full') return testFully()
  const isStrict = options.includes('--strict')
  const failedChecks = await check()
  if (failedChecks.length > 0) say(`\nFailed checks: ${failedChecks.join(', ')}`)
  if (command === 'check') return failedChecks.length

  if (await installPostgres()) say('• PostgreSQL installed')
  if (await installRedis()) say('• Redis installed')
  if (await installFaketime()) say('• libfaketime installed')
  if (await installMosquitto()) say('• mosquitto-clients installed')
  const { passed, failed, skipped } = await test(options.filter((option) => option !== '--strict'))
  listSkipped(skipped)
  const refused = isStrict ? skipped.filter(({ note }) => !ACCEPTED_REASON.test(note)) : []
  if (refused.length > 0) say(`\n${refused.length} skipped without an accepted reason, which fails this run.`)
  if (failedChecks.length > 0) say(`\nFailed checks, counted as failed below: ${failedChecks.join(', ')}`)
  const allFailed = failed + failedChecks.length
  say(`\n${passed} passed, ${allFailed} failed, ${skipped.length} skipped`)
  return allFailed + refused.length
}

/** Runs the tests in tests/full: what needs another system and takes too long for each change. */
async function testFully(): Promise<number> {
  if (await installQemuArm64()) say('• qemu-user installed')
  const { passed, failed, skipped } = await test(['--project', 'e2e'], { ESCALE_TEST_FULL: '1' })
  listSkipped(skipped)
  say(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`)
  return failed
}

function listSkipped(skipped: Summary['skipped']): void {
  if (skipped.length > 0) say('\nSkipped:')
  for (const { name, note } of skipped) say(`  - ${name}: ${note}`)
}

// Ctrl-C reaches the whole process group. When the parent process ends, its channel closes. Then the running check must end too.
const end = () => {
  running?.kill()
  process.exit(130)
}
process.on('disconnect', end).on('SIGINT', end).on('SIGTERM', end)
process.exit((await main(process.argv.slice(2))) === 0 ? 0 : 1)
