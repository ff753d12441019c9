import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface PhotoStore {
  /** Writes a photo completely or not at all; @returns its random name */
  save(jpeg: Buffer): Promise<string>
  /** undefined if the file does not exist. */
  read(name: string): Promise<Buffer | undefined>
  remove(name: string): Promise<void>
  /** Names of the files that were written before this instant, Unix milliseconds. */
  namesBefore(instantMs: number): Promise<string[]>
}

/** Photos as files with random names that cannot be guessed. */
export function createPhotoStore(dir: string): PhotoStore {
  const pathOf = (name: string) => join(dir, name)
  return {
    async save(jpeg) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const name = `${randomBytes(24).toString('hex')}.jpg`
      const draft = `${pathOf(name)}.part`
      const file = await open(draft, 'wx', 0o600)
      try {
        await file.writeFile(jpeg)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, pathOf(name))
      return name
    },
    async read(name) {
      try {
        return await readFile(pathOf(name))
      } catch (err) {
        if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw err
      }
    },
    async remove(name) {
      await rm(pathOf(name), { force: true })
    },
    async namesBefore(instantMs) {
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
