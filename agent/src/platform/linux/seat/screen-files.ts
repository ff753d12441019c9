import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startPage } from '../../../screen/screen-key.ts'

/** Only root looks into it, and it is empty after a reboot. */
export const RUNTIME_FOLDER = '/run/escale-agent'
const KEY_BYTES = 32

/**
 * The key of the station's own screen. An agent that starts again keeps it, so that the page goes on. Undefined if there
 * is none, or if this user may not read it.
 */
export async function readScreenKey(folder = RUNTIME_FOLDER): Promise<string | undefined> {
  const key = await readFile(join(folder, 'screen-key'), 'utf8').catch(() => undefined)
  return key === undefined || key === '' ? undefined : key
}

export async function prepareScreenKey(folder = RUNTIME_FOLDER): Promise<string> {
  const known = await readScreenKey(folder)
  if (known !== undefined) return known
  const key = randomBytes(KEY_BYTES).toString('hex')
  await writeSecret(join(folder, 'screen-key'), key)
  return key
}

/**
 * Writes the page that the lock's browser starts with. systemd hands it to the browser's user alone (LoadCredential= in
 * escale-screen.service).
 */
export async function writeStartPage(screenUrl: string, key: string, folder = RUNTIME_FOLDER): Promise<void> {
  await writeSecret(join(folder, 'start.html'), startPage(screenUrl, key))
}

/** Nobody sees half a file, and nobody else may read it at any time. */
async function writeSecret(path: string, text: string): Promise<void> {
  const unfinished = `${path}.new`
  await writeFile(unfinished, text, { mode: 0o600 })
  await rename(unfinished, path)
}
