import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const LIMIT_MS = 5_000

const run = promisify(execFile)

/** Units of systemd. */
export interface Units {
  /** Resolves when the unit runs. It may already run. */
  start: (unit: string) => Promise<void>
  /** Resolves when the unit has ended. */
  stop: (unit: string) => Promise<void>
  isRunning: (unit: string) => Promise<boolean>
}

/** `program` is systemctl(1). */
export function createUnits(program = 'systemctl'): Units {
  const ask = async (...args: string[]): Promise<void> => {
    await run(program, args, { timeout: LIMIT_MS }).catch((err: unknown) => {
      const said = (err as { stderr?: string }).stderr?.trim()
      throw new Error(said || (err instanceof Error ? err.message : String(err)), { cause: err })
    })
  }

  return {
    start: (unit) => ask('start', unit),
    stop: (unit) => ask('stop', unit),
    isRunning: async (unit) => {
      const answer = await run(program, ['show', '--property=ActiveState', '--value', unit], {
        timeout: LIMIT_MS,
      })
      return answer.stdout.trim() === 'active'
    },
  }
}
