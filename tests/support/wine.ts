import { lstatSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'

/** Advice if Wine is missing. Debian 12's Wine 8 cannot run Node 24. */
export const WINE_HINT =
  'needs Wine 10: run `apt-get install wine64 wine` on Debian 13, or name the folder of a Debian 13 with it in ESCALE_WINE_ROOT'

/** In another system's folder, Debian's `wine` is a link that leads nowhere from here. */
const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined

/** Folder of the system that holds Wine: this machine, or a Debian 13 that is entered by chroot. */
function findRoot(): string | undefined {
  const other = process.env.ESCALE_WINE_ROOT
  if (other !== undefined) return isThere(join(other, 'usr/bin/wine')) ? other : undefined
  return (process.env.PATH ?? '').split(delimiter).some((folder) => isThere(join(folder, 'wine')))
    ? '/'
    : undefined
}

export const hasWine = () => findRoot() !== undefined

/**
 * Under Wine, Node cannot write to a pipe (`open EBADF`). So the program writes to a file, and `tail` writes the file
 * to our pipe. The channel to the parent process is not for a Windows program either.
 */
const THROUGH_FILE = `
  unset NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE
  file=$1; shift
  : > "$file"
  tail -n +1 -f "$file" & shown=$!
  "$@" > "$file" 2>&1 < /dev/null & program=$!
  trap 'kill $program' TERM
  wait $program; code=$?
  kill $shown
  exit $code`

export interface WineProgram {
  command: string[]
  env: NodeJS.ProcessEnv
  dispose: () => Promise<void>
}

/** The command that runs a program for Windows; the program's arguments follow it. Needs `hasWine()`. */
export async function openInWine(program: string): Promise<WineProgram> {
  const root = findRoot() ?? '/'
  const isOther = root !== '/'
  const outside = isOther ? join(root, 'tmp') : tmpdir()
  await mkdir(outside, { recursive: true })
  const folder = await mkdtemp(join(outside, 'escale-wine-'))
  await copyFile(program, join(folder, basename(program)))
  const inside = isOther ? folder.slice(root.replace(/\/$/, '').length) : folder
  const wine = [...(isOther ? ['chroot', root] : []), 'wine', join(inside, basename(program))]
  return {
    command: ['sh', '-c', THROUGH_FILE, 'wine', join(folder, 'output'), ...wine],
    env: {
      HOME: inside,
      WINEPREFIX: join(inside, 'prefix'),
      WINEDLLOVERRIDES: 'mscoree=d;mshtml=d',
      WINEDEBUG: '-all',
    },
    dispose: () => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 }),
  }
}
