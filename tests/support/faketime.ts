import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPackage } from './debian.ts'

const LIBRARIES = '/usr/lib'

/** Advice if libfaketime is not installed. */
export const FAKETIME_HINT = 'needs libfaketime: run `sudo apt-get install faketime`'

/** The library as Debian's package puts it, whatever the architecture; undefined when it is not there. */
export function findFaketime(): string | undefined {
  const folders = existsSync(LIBRARIES) ? readdirSync(LIBRARIES) : []
  return folders
    .map((folder) => join(LIBRARIES, folder, 'faketime', 'libfaketime.so.1'))
    .find((file) => existsSync(file))
}

/** Installs the Debian package if it is missing and we are root; @returns whether it was installed. */
export async function installFaketime(): Promise<boolean> {
  if (findFaketime() !== undefined) return false
  await installPackage('faketime')
  return findFaketime() !== undefined
}

export interface FakeWallClock {
  /** Gives a process this wall clock; its monotonic clock stays true, as in a machine whose time is set. */
  env: NodeJS.ProcessEnv
  /** Seconds that the wall clock is ahead of the truth from now on; noticed within a second. */
  set: (aheadSeconds: number) => Promise<void>
  dispose: () => Promise<void>
}

/** A wall clock for one process, wrong by as much as is asked for. */
export async function openFakeWallClock(aheadSeconds = 0): Promise<FakeWallClock> {
  const library = findFaketime()
  if (library === undefined) throw new Error(FAKETIME_HINT)
  const folder = await mkdtemp(join(tmpdir(), 'escale-faketime-'))
  const file = join(folder, 'offset')
  const set = async (seconds: number) => {
    // Read at any moment: never half of it.
    await writeFile(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`)
    await rename(`${file}.new`, file)
  }
  await set(aheadSeconds)
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
    set,
    dispose: () => rm(folder, { recursive: true, force: true }),
  }
}
