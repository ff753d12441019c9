import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { databaseFileOf } from '../setup/data-folder.ts'
import type { Environment } from '../setup/environment.ts'
import { AppError, messageOf } from '../errors.ts'
import { storageErrorOf } from '../db/storage-fault.ts'
import { readSettings } from '../setup/settings-file.ts'
import type { Remark } from '../setup/settings-names.ts'
import { SetupError } from '../errors.ts'
import { complain } from './terminal.ts'

/** The usual exit code for a command line that makes no sense. */
export const EXIT_USAGE = 2
/** The usual exit code after Ctrl-C. */
export const EXIT_STOPPED = 130

/** The path that whoever typed the command means, from where they typed it; npm runs it in the project's folder. */
export function pathGiven(path: string | undefined): string | undefined {
  return path ? resolve(process.env['INIT_CWD'] ?? '.', path) : undefined
}

/**
 * Whether what was typed is at most so many words, none of which is a flag: another word would be passed over in
 * silence. A flag typed without the `--` that npm wants before it never arrives: npm keeps it, and only tells by a
 * variable.
 */
export function isUnderstood(
  args: readonly string[],
  most: number,
  flagsOfNpm: readonly string[] = [],
): boolean {
  const kept = flagsOfNpm.filter((flag) => process.env[`npm_config_${flag}`] !== undefined)
  const strange = args.find((word) => word.startsWith('-')) ?? args[most]
  if (kept.length > 0) complain(keptByNpm(kept))
  else if (strange !== undefined) complain(`Argument inconnu\u00a0: ${strange}\nUnknown argument: ${strange}`)
  return kept.length === 0 && strange === undefined
}

function keptByNpm(flags: readonly string[]): string {
  const typed = `npm run ${process.env['npm_lifecycle_event'] ?? 'COMMAND'} -- ${flags.map((flag) => `--${flag}`).join(' ')}`
  return (
    `npm a gardé cette option pour lui\u00a0: mettez «\u202f--\u202f» devant, ainsi\u00a0: ${typed}\n` +
    `npm kept this option to itself: put "--" before it, like this: ${typed}`
  )
}

/** Calls `clean` when the command is to end before its work is done: by a signal, or because npm is gone. */
export function onStop(clean: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, clean)
  process.on('disconnect', clean)
  // Listening to the channel alone must not keep a command that is done.
  process.channel?.unref()
}

/** Tells whoever asks about a database that is not there yet; @returns whether it is */
export function isDatabaseHere({ DATABASE_URL, ESCALE_DATA_DIR }: Environment): boolean {
  const file = databaseFileOf(ESCALE_DATA_DIR)
  if (DATABASE_URL !== '' || existsSync(file)) return true
  complain(
    `Aucune base de données ici\u00a0: ${file}. Lancez d’abord le serveur (npm start), ou vérifiez ESCALE_DATA_DIR.\n` +
      `No database here: ${file}. Start the server first (npm start), or check ESCALE_DATA_DIR.`,
  )
  return false
}

/** Runs one command of the terminal, which answers its exit code; what whoever typed it can mend is told in sentences. */
export async function runCommand(
  work: (environment: Environment, remarks: Remark[]) => Promise<number> | number,
): Promise<void> {
  try {
    const { environment, remarks } = readSettings()
    process.exitCode = await work(environment, remarks)
  } catch (err) {
    complain(sentencesOf(err))
    process.exitCode = 1
  }
}

/** What to tell of a failure: sentences for what can be mended, a stack for what nobody expected. */
export function sentencesOf(err: unknown): string {
  if (err instanceof SetupError) return err.message
  const known = err instanceof AppError ? err : storageErrorOf(err)
  if (known) return `${messageOf(known, 'fr')}\n${messageOf(known, 'en')}`
  return err instanceof Error ? (err.stack ?? err.message) : String(err)
}
