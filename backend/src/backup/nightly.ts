import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stampOf } from './stamp.ts'

const COMMAND = fileURLToPath(new URL('../cli/backup.ts', import.meta.url))
const NAME = /^escale-\d{8}T\d{6}Z\.tar\.gz$/
const DRAFT = /^escale-\d{8}T\d{6}Z\.tar\.gz\.part/

export interface NightlyBackup {
  /** @returns what was made, in a few words @throws Error with the sentence of the command */
  run(nowMs: number): Promise<string>
  /** Ends the one under way; nothing is left of it. */
  stop(): void
}

/**
 * Makes a backup in a folder and keeps so many of them. In a process of its own: reading the site back costs
 * seconds of computing, in which nobody could be served.
 * @param command for tests
 */
export function createNightlyBackup({
  dir,
  keep,
  command = COMMAND,
}: {
  dir: string
  keep: number
  command?: string
}): NightlyBackup {
  let running: ChildProcess | undefined

  function makeOne(file: string): Promise<string> {
    return new Promise((resolve, reject) => {
      // Its channel closes with this process, and it ends.
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
    async run(nowMs) {
      // Where a disk is not mounted, a folder made in its place would fill the wrong one.
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
    stop: () => void running?.kill('SIGTERM'),
  }
}
