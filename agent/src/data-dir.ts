import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { SettingsError } from './settings-error.ts'

/**
 * Makes the agent's folder, for its user alone, and tries a write in it.
 * @throws SettingsError when it cannot be made or written
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
    )
  }
}

/** Folder by folder: Node's own recursive way never ends where a parent takes no folders, such as /proc. */
function makeFolder(path: string): void {
  const isThere = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (isThere) return
  if (dirname(path) !== path) makeFolder(dirname(path))
  mkdirSync(path, { mode: 0o700 })
}
