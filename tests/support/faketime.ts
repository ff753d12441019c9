import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installPackage } from './debian.ts'

const LIBRARIES = '/usr/lib'

/** Advice if libfaketime is not installed. */
export const FAKETIME_HINT = 'needs libfaketime: run `sudo apt-get install faketime`'

/** The library where Debian's package installs it, on any architecture; undefined if it is missing. */
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
  /** Environment that gives a process this wall clock. Its monotonic clock stays right, as when a machine's time is set. */
  env: NodeJS.ProcessEnv
  /** Sets how many seconds the wall clock is ahead. The process notices within a second. */
  set: (aheadSeconds: number) => Promise<void>
  dispose: () => Promise<void>
}

/** A wall clock for one process, wrong by this many seconds. */
export async function openFakeWallClock(aheadSeconds = 0): Promise<FakeWallClock> {
  const library = findFaketime()
  if (library === undefined) throw new Error(FAKETIME_HINT)
  const folder = await mkdtemp(join(tmpdir(), 'escale-faketime-'))
  const file = join(folder, 'offset')
  const set = async (seconds: number) => {
    // The file can be read at any moment, so it is replaced as a whole.
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
