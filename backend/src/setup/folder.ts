import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { SetupError } from '../errors.ts'
import { reasonOfFile } from './file-reasons.ts'

/**
 * Makes a folder and its parents, for this user alone. Not with `recursive`: below /proc the kernel answers that the
 * folder does not exist, and Node would try again for ever.
 * @throws SetupError when it cannot be made
 */
export function makeFolder(path: string): void {
  try {
    makeEach(path)
  } catch (err) {
    const { french, english } = reasonOfFile(err)
    throw new SetupError(
      `Le dossier ${path} ne peut être créé\u00a0: ${french}. Corrigez ESCALE_DATA_DIR ou les droits.`,
      `The folder ${path} cannot be made: ${english}. Correct ESCALE_DATA_DIR or the rights.`,
      err,
    )
  }
}

function makeEach(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  if (dirname(path) !== path) makeEach(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (err) {
    // Another process may have made it meanwhile.
    const isThere = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
    if (!isThere) throw err
  }
}
