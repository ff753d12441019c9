import { readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuestAccount } from './account.ts'
import { removeFiles } from './files.ts'
import type { HostTools } from './host-tools.ts'
import { found, NOTHING, type Leftovers } from './leftovers.ts'
import { readMounts } from './mount-table.ts'

/** Share of the memory that a visitor's files may take. */
const SIZE = '25%'
const SKELETON = '/etc/skel'

export const isHomeMounted = async ({ home }: GuestAccount): Promise<boolean> =>
  (await readMounts()).some(({ point }) => point === home)

/** A fresh home in memory, with the files that new accounts of this machine get. */
export async function makeHome(
  { uid, gid, home }: GuestAccount,
  tools: HostTools,
  signal: AbortSignal,
): Promise<void> {
  const options = ['nosuid', 'nodev', 'mode=0700', `size=${SIZE}`, `uid=${uid}`, `gid=${gid}`].join(',')
  await tools.run('mount', ['-t', 'tmpfs', '-o', options, 'escale-guest', home], { signal })
  const copy = ['-r', '-T', '--', SKELETON, home]
  const hasSkeleton = (await tools.attempt('test', ['-d', SKELETON], { signal })).code === 0
  if (hasSkeleton) await tools.run('cp', copy, { signal, as: { uid, gid } })
}

/** The home of the session. Its files are gone with its file system. */
export function homeFiles(account: GuestAccount, tools: HostTools): Leftovers {
  const { home } = account
  return {
    kind: 'homeFiles',
    find: async () => {
      if (await isHomeMounted(account)) {
        const { files, ffree } = await statfs(tools.path(home))
        // The root of the file system is one of its files.
        return found([home], Math.max(1, files - ffree - 1))
      }
      const names = await readdir(tools.path(home))
      return names.length === 0 ? NOTHING : found(names.map((name) => join(home, name)))
    },
    async remove({ names }, signal) {
      if (!(await isHomeMounted(account))) return removeFiles(names, tools, signal)
      while (await isHomeMounted(account)) await tools.run('umount', ['--', home], { signal })
    },
  }
}
