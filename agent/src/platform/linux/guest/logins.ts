import { access } from 'node:fs/promises'
import type { GuestAccount } from './account.ts'
import { removeFiles } from './files.ts'
import type { HostTools } from './host-tools.ts'
import { found, type Leftovers } from './leftovers.ts'

/**
 * Logins that systemd-logind knows, and the wish to go on without one (lingering). Ending them does not wait: their
 * programs are killed next, and a later look says whether they are gone. Source: loginctl(1).
 */
export function guestLogins({ name, uid }: GuestAccount, tools: HostTools): Leftovers {
  const lingering = `/var/lib/systemd/linger/${name}`
  const known = `/run/systemd/users/${uid}`
  return {
    kind: 'logins',
    find: async () => {
      const paths = [lingering, known]
      const present = await Promise.all(paths.map((path) => exists(tools.path(path))))
      return found(paths.filter((_, index) => present[index]))
    },
    async remove({ names }, signal) {
      if (names.includes(lingering)) await removeFiles([lingering], tools, signal)
      if (names.includes(known)) await tools.run('loginctl', ['terminate-user', name], { signal })
    },
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    (err: unknown) => {
      if ((err as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw err
    },
  )

/** The folder for sockets and small files of a login. Normally systemd removes it with the login. */
export function runtimeFiles({ uid }: GuestAccount, tools: HostTools): Leftovers {
  const folder = `/run/user/${uid}`
  return {
    kind: 'runtimeFiles',
    find: async () => found((await exists(tools.path(folder))) ? [folder] : []),
    async remove(_, signal) {
      const isMounted = (await tools.attempt('mountpoint', ['-q', '--', folder], { signal })).code === 0
      if (isMounted) await tools.run('umount', ['--', folder], { signal })
      await removeFiles([folder], tools, signal)
    },
  }
}
