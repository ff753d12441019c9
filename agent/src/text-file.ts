import { readFileSync } from 'node:fs'
import { encodingOf } from '@escale/protocol'
import { SettingsError } from './settings-error.ts'

/** Files are read synchronously at start, so a file that is too large to be written by a person is refused. */
const MAX_BYTES = 1_048_576

/**
 * Reads a text file that people edit, in any Unicode encoding; undefined if there is no file.
 * @throws SettingsError when it cannot be read or is not Unicode text
 */
export function readTextFile(path: string): string | undefined {
  const bytes = bytesOf(path)
  if (bytes === undefined) return undefined
  try {
    return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes)
  } catch {
    throw new SettingsError(
      `${path} n’est pas un texte UTF-8\u00a0: enregistrez-le de nouveau en UTF-8.`,
      `${path} is not UTF-8 text: save it again as UTF-8.`,
      'file',
    )
  }
}

function bytesOf(path: string): Buffer | undefined {
  try {
    const bytes = readFileSync(path)
    if (bytes.length <= MAX_BYTES) return bytes
  } catch (err) {
    const { code } = err as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new SettingsError(
      `${path} ne peut pas être lu (${String(code)})\u00a0: vérifiez que c’est un fichier et que l’utilisateur de l’agent a le droit de le lire.`,
      `${path} cannot be read (${String(code)}): check that it is a file and that the agent’s user may read it.`,
      'file',
    )
  }
  throw new SettingsError(
    `${path} est trop grand\u00a0: vérifiez que c’est le bon fichier.`,
    `${path} is too large: check that it is the right file.`,
    'file',
  )
}
