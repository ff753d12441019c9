import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stampOf } from './stamp.ts'

const COMMAND = fileURLToPath(new URL('../cli/backup.ts', import.meta.url))
const NAME = /^escale-\d{8}T\d{6}Z\.tar\.gz$/
const DRAFT = /^escale-\d{8}T\d{6}Z\.tar\.gz\.part/

export type NightlyBackup = ReturnType<typeof createNightlyBackup>

/**
 * Makes a backup in `dir` and removes all but the newest `keep`. It runs in a process of its own: reading the backup
 * again takes seconds of computing, and no request could be served meanwhile.
 * @param command the script to run; another one in tests
 */
export function createNightlyBackup({
  dir,
  keep,
  command = COMMAND,
}: {
  dir: string
  keep: number
  command?: string
}) {
  let running: ChildProcess | undefined

  function makeOne(file: string): Promise<string> {
    return new Promise((resolve, reject) => {
      // When this process ends, the channel closes, and the command stops.
      const child = spawn(process.execPath, [command, file], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
      running = child
      let said = ''
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding('utf8').on('data', (text: string) => (said += text))
      child.on('error', reject)
      child.on('close', (code) => {
        running = undefined
        if (code === 0) resolve(said.trim())
        else reject(new Error(said.trim() || `the backup ended (${code})`))
      })
    })
  }

  return {
    /** @returns a short text about the backup @throws Error with what the command printed */
    async run(nowMs: number): Promise<string> {
      // Never made here: when its disk is not mounted, the backups would fill another disk.
      if (!existsSync(dir))
        throw new Error(
          `Le dossier des sauvegardes n’existe pas\u00a0: ${dir} (ESCALE_BACKUP_DIR). Créez-le, ou branchez son disque. · ` +
            `The folder of backups does not exist: ${dir} (ESCALE_BACKUP_DIR). Make it, or connect its disk.`,
        )
      for (const name of readdirSync(dir).filter((one) => DRAFT.test(one)))
        rmSync(join(dir, name), { recursive: true, force: true })
      const said = await makeOne(join(dir, `escale-${stampOf(nowMs)}.tar.gz`))
      const old = readdirSync(dir)
        .filter((name) => NAME.test(name))
        .toSorted()
        .slice(0, -keep)
      for (const name of old) rmSync(join(dir, name))
      return said.split('\n')[0] ?? ''
    },
    /** Cancels a running backup; its files are removed. */
    stop: (): void => void running?.kill('SIGTERM'),
  }
}
