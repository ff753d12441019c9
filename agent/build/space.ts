import { mkdir, statfs } from 'node:fs/promises'
import { BuildError } from './build-error.ts'

/** Room for one binary, and for the files that its making needs in between. */
export const MB_PER_BINARY = 300

/**
 * Creates the folder when it is missing.
 * @throws BuildError when its disk has less room than this
 */
export async function requireSpace(folder: string, megabytes: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  const { bavail, bsize } = await statfs(folder)
  if ((bavail * bsize) / 1e6 < megabytes) throw noSpace(folder, megabytes)
}

export function noSpace(folder: string, megabytes = MB_PER_BINARY): BuildError {
  return new BuildError(
    `il n’y a pas assez de place pour ${folder} (il faut environ ${megabytes} Mo). Libérez-en, puis relancez la même commande.`,
    `there is not enough room for ${folder} (about ${megabytes} MB are needed). Free some, then run the same command again.`,
  )
}
