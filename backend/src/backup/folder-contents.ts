import { readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { DATABASE_NAME } from './manifest.ts'
import type { Source } from './archive.ts'

/** Says when the last backup was made and where it is. */
export const LAST_BACKUP = 'last-backup.json'
/** Begins the name of the folder that keeps what was there before a restore. */
export const BEFORE_RESTORE = 'before-restore-'
/** Folder of a restore while it reads the backup, when all is read, and while its files are moved to their place. */
export const RESTORING = {
  reading: 'restore.reading',
  ready: 'restore.ready',
  moving: 'restore.moving',
} as const

const OF_THIS_MACHINE = [
  /^server\.(lock|lock-journal|running)$/,
  /^first-start$/,
  new RegExp(`^${LAST_BACKUP.replace('.', '\\.')}$`),
  /^restore\.(reading|ready|moving)$/,
  new RegExp(`^${BEFORE_RESTORE}`),
]
const OF_DATABASE = new RegExp(`^${DATABASE_NAME.replace('.', '\\.')}(-wal|-shm|-journal)?$`)
/** Files that were being written when the server stopped: they are written again. */
const DRAFT = /\.(part|new)$|\.[0-9a-f]{8}$/

/** Whether an entry of the data folder belongs to the site, not to the machine that serves it. */
export const isOfSite = (name: string) => !OF_THIS_MACHINE.some((pattern) => pattern.test(name))

/** Every file of a data folder that a backup keeps, except the database. @param without folders to leave out */
export function filesOf(dataDir: string, without: readonly string[]): Source[] {
  const sources: Source[] = []
  const visit = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const from = join(folder, entry.name)
      if (folder === dataDir && (!isOfSite(entry.name) || OF_DATABASE.test(entry.name))) continue
      if (without.includes(from)) continue
      if (entry.isDirectory()) visit(from)
      else if (entry.isFile() && !DRAFT.test(entry.name))
        sources.push({ path: relative(dataDir, from).replaceAll(sep, '/'), from })
    }
  }
  visit(dataDir)
  return sources
}
