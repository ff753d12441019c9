import { randomBytes } from 'node:crypto'
import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Writes a text: readers see the old one or the new one, never a part of it. */
export function replaceFile(file: string, text: string, mode = 0o600): void {
  const draft = draftOf(file)
  writeFileSync(draft, text, { mode, flush: true })
  renameSync(draft, file)
}

/** Writes a new file. @returns false if it is there already, for instance because two servers start together */
export function createFile(file: string, text: string): boolean {
  const draft = draftOf(file)
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true })
    linkSync(draft, file)
    return true
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw err
  } finally {
    rmSync(draft, { force: true })
  }
}

/** A name that backups leave out. */
const draftOf = (file: string) => `${file}.${randomBytes(4).toString('hex')}`
