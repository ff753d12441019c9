import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuestAccount } from './account.ts'
import type { HostTools } from './host-tools.ts'
import { found, type Leftovers } from './leftovers.ts'
import { readMounts, type Mount } from './mount-table.ts'

/** A slow stick must still store what was written to it. */
const UNMOUNT_LIMIT_MS = 20_000
const STICKS = ['/media', '/run/media']
const LOOPS = '/sys/block'

/**
 * Mounted sticks, and all else that is mounted for the guest: in its folders, or with its user id. Files in a loop device
 * count too: they keep the home folder busy.
 */
export function guestMounts({ name, uid, home }: GuestAccount, tools: HostTools): Leftovers {
  const runtime = `/run/user/${uid}`
  const ids = [`user_id=${uid}`, `uid=${uid}`]
  const isGuests = ({ point, options }: Mount) => {
    if (point === home || point === runtime) return false
    const isInside = [...STICKS, home, runtime].some((folder) => point.startsWith(`${folder}/`))
    return isInside || options.some((option) => ids.includes(option))
  }
  const points = async () => (await readMounts()).filter(isGuests).map(({ point }) => point)

  /** Folders that a stick was mounted on, with the name of the stick. */
  async function emptied(): Promise<string[]> {
    const folders = STICKS.map((folder) => join(folder, name))
    const lists = folders.map(async (folder) => {
      const names = await readdir(tools.path(folder)).catch(unlessMissing)
      return names.map((one) => join(folder, one))
    })
    return (await Promise.all(lists)).flat()
  }

  async function loops(): Promise<string[]> {
    const devices = (await readdir(LOOPS)).filter((device) => /^loop\d+$/.test(device))
    const backed = devices.map(async (device) => {
      const file = await readFile(join(LOOPS, device, 'loop', 'backing_file'), 'utf8').catch(() => '')
      return [home, runtime].some((folder) => file.startsWith(`${folder}/`)) ? [`/dev/${device}`] : []
    })
    return (await Promise.all(backed)).flat()
  }

  return {
    kind: 'mounts',
    find: async () => {
      const mounted = await points()
      const folders = (await emptied()).filter((folder) => !mounted.includes(folder))
      return found([...mounted, ...folders, ...(await loops())])
    },
    async remove(_, signal) {
      const options = { signal, limitMs: UNMOUNT_LIMIT_MS }
      const failures: unknown[] = []
      const attempt = (work: Promise<unknown>) => work.catch((err: unknown) => failures.push(err))
      // The newest first: it may be mounted on an older one.
      for (const point of (await points()).reverse())
        await attempt(tools.run('umount', ['--', point], options))
      const mounted = await points()
      for (const folder of await emptied())
        if (!mounted.includes(folder)) await attempt(tools.run('rmdir', ['--', folder], options))
      for (const device of await loops()) await attempt(tools.run('losetup', ['--detach', device], options))
      if (failures.length > 0) throw failures[0]
    },
  }
}

function unlessMissing(err: unknown): string[] {
  if ((err as NodeJS.ErrnoException).code === 'ENOENT') return []
  throw err
}
