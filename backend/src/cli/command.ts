import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { databaseFileOf } from '../setup/data-folder.ts'
import type { Environment } from '../setup/environment.ts'
import { AppError, SetupError, messageOf } from '../errors.ts'
import { storageErrorOf } from '../db/storage-fault.ts'
import { readSettings, type Remark } from '../setup/settings-file.ts'
import { complain } from './terminal.ts'

/** The usual exit code for a command line that makes no sense. */
export const EXIT_USAGE = 2
/** The usual exit code after Ctrl-C. */
export const EXIT_STOPPED = 130

/** A path relative to the folder where the command was typed; npm runs the command in the project's folder. */
function pathGiven(path: string | undefined): string | undefined {
  return path ? resolve(process.env['INIT_CWD'] ?? '.', path) : undefined
}

/**
 * Whether a command was given at most `most` words and no option; complains otherwise, since it would ignore them.
 * @param flagsOfNpm options of the command: npm keeps one that is typed without `--` before it, and only sets a variable
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

/** Calls `clean` when the command must end before its work is done: by a signal, or because npm has ended. */
export function onStop(clean: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, clean)
  process.on('disconnect', clean)
  // A command that is done must not wait for the channel to close.
  process.channel?.unref()
}

/** Whether the database is there; complains otherwise. */
export function isDatabaseHere({ DATABASE_URL, ESCALE_DATA_DIR }: Environment): boolean {
  const file = databaseFileOf(ESCALE_DATA_DIR)
  if (DATABASE_URL !== '' || existsSync(file)) return true
  complain(
    `Aucune base de données ici\u00a0: ${file}. Lancez d’abord le serveur (npm start), ou vérifiez ESCALE_DATA_DIR.\n` +
      `No database here: ${file}. Start the server first (npm start), or check ESCALE_DATA_DIR.`,
  )
  return false
}

/** Runs one command, which returns its exit code. Failures that a person can repair are printed as sentences. */
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

/** Runs a command that takes the path of one file; prints `usage` when it is missing. */
export async function runFileCommand(
  usage: string,
  work: (file: string, environment: Environment) => Promise<number>,
): Promise<void> {
  process.umask(0o077)
  const words = process.argv.slice(2)
  const file = isUnderstood(words, 1) ? pathGiven(words[0]) : undefined
  if (file !== undefined) return runCommand((environment) => work(file, environment))
  complain(usage)
  process.exitCode = EXIT_USAGE
}

/** How a failure is printed: sentences when it can be repaired, a stack trace when nobody expected it. */
export function sentencesOf(err: unknown): string {
  if (err instanceof SetupError) return err.message
  const known = err instanceof AppError ? err : storageErrorOf(err)
  if (known) return `${messageOf(known, 'fr')}\n${messageOf(known, 'en')}`
  return err instanceof Error ? (err.stack ?? err.message) : String(err)
}
