import type { LeftoverKind } from '@escale/protocol'
import type { HostTools } from './host-tools.ts'
import { found, NOTHING, type Leftovers } from './leftovers.ts'

/** A search may meet a large folder of others. */
const SEARCH_LIMIT_MS = 30_000
const REMOVE_AT_ONCE = 200

export interface FilePlaces {
  kind: LeftoverKind
  /** Folders in which everything of the owner is searched. A folder that does not exist is skipped. */
  folders: readonly string[]
  owner: { uid: number }
  /** Also files with these names, whoever owns them: arguments of find(1), such as `-name`. */
  alsoNamed?: readonly string[]
}

/** Files of the guest in some folders. A folder of the guest counts once, with everything in it. */
export function filesIn({ kind, folders, owner, alsoNamed }: FilePlaces, tools: HostTools): Leftovers {
  return {
    kind,
    find: async () => {
      const existing = await existingOf(folders, tools)
      if (existing.length === 0) return undefined
      const named = alsoNamed === undefined ? [] : ['-o', ...alsoNamed]
      const tests = ['(', '-uid', String(owner.uid), ...named, ')']
      const search = [...existing, '-xdev', '-ignore_readdir_race', ...tests, '-prune', '-print0']
      const paths = (await tools.run('find', search, { limitMs: SEARCH_LIMIT_MS }))
        .split('\0')
        .filter(Boolean)
      return paths.length === 0 ? NOTHING : found(paths)
    },
    remove: (known, signal) => removeFiles(known.names, tools, signal),
  }
}

/** Removes files and folders, but nothing of a file system that is mounted on or in them: it may be somebody's stick. */
export async function removeFiles(
  paths: readonly string[],
  tools: HostTools,
  signal: AbortSignal,
): Promise<void> {
  for (let from = 0; from < paths.length; from += REMOVE_AT_ONCE) {
    const some = paths.slice(from, from + REMOVE_AT_ONCE)
    await tools.run('rm', ['-rf', '--one-file-system', '--preserve-root=all', '--', ...some], {
      signal,
      limitMs: SEARCH_LIMIT_MS,
    })
  }
}

/** Those of the folders that exist, by their real names: a folder that is a link to another is searched once. */
async function existingOf(folders: readonly string[], tools: HostTools): Promise<string[]> {
  const { stdout } = await tools.attempt('realpath', ['-q', '-e', '-z', '--', ...folders])
  return [...new Set(stdout.split('\0').filter(Boolean))]
}
