import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { SettingsError } from './settings-error.ts'

/**
 * Creates the agent's data folder, which only its user may read, and checks that it can write there.
 * @throws SettingsError when the folder cannot be created or written
 */
export function makeDataDir(dataDir: string): void {
  try {
    makeFolder(resolve(dataDir))
    const probe = join(dataDir, '.probe')
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (err) {
    const code = (err as NodeJS.ErrnoException).code ?? String(err)
    throw new SettingsError(
      `le dossier de données ${dataDir} ne peut pas être créé ou écrit (${code})\u00a0: donnez-en le droit à l’utilisateur de l’agent, ou choisissez un autre dossier avec --data-dir.`,
      `the data folder ${dataDir} cannot be made or written (${code}): let the agent’s user write there, or choose another with --data-dir.`,
      'data-folder',
    )
  }
}

/** One folder at a time: Node's recursive `mkdir` never returns where a parent cannot hold folders, such as /proc. */
function makeFolder(path: string): void {
  const isThere = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (isThere) return
  if (dirname(path) !== path) makeFolder(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}
