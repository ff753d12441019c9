import { randomBytes } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type PhotoStore = ReturnType<typeof createPhotoStore>

/** Photos as files with random names that cannot be guessed. */
export function createPhotoStore(dir: string) {
  const pathOf = (name: string) => join(dir, name)
  return {
    /** Writes a photo completely or not at all; @returns its random name */
    async save(jpeg: Buffer): Promise<string> {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const name = `${randomBytes(24).toString('hex')}.jpg`
      const draft = `${pathOf(name)}.part`
      await writeFile(draft, jpeg, { flag: 'wx', mode: 0o600, flush: true })
      await rename(draft, pathOf(name))
      return name
    },
    /** undefined if the file does not exist. */
    async read(name: string): Promise<Buffer | undefined> {
      try {
        return await readFile(pathOf(name))
      } catch (err) {
        if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw err
      }
    },
    remove: (name: string): Promise<void> => rm(pathOf(name), { force: true }),
    /** Names of the files that were written before this instant, Unix milliseconds. */
    async namesBefore(instantMs: number): Promise<string[]> {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const names: string[] = []
      for (const name of await readdir(dir)) {
        const { mtimeMs } = await stat(pathOf(name))
        if (mtimeMs < instantMs) names.push(name)
      }
      return names
    },
  }
}
