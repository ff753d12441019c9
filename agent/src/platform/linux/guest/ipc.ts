import { readFile } from 'node:fs/promises'
import type { GuestAccount } from './account.ts'
import { filesIn } from './files.ts'
import type { HostTools } from './host-tools.ts'
import { found, type Leftovers } from './leftovers.ts'
import { readMounts } from './mount-table.ts'

const QUEUES = '/dev/mqueue'
/** Kinds of System V objects: the column with their id, and the option of ipcrm(1) that removes one. */
const SORTS = {
  shm: { column: 'shmid', option: '-m' },
  msg: { column: 'msqid', option: '-q' },
  sem: { column: 'semid', option: '-s' },
} as const
type Sort = keyof typeof SORTS
const sorts = Object.keys(SORTS) as Sort[]

/** System V shared memory, queues and semaphores that the guest owns or created. Source: sysvipc(7). */
export function ipcObjects({ uid }: GuestAccount, tools: HostTools): Leftovers {
  return {
    kind: 'ipcObjects',
    find: async () => found((await Promise.all(sorts.map((sort) => objectsOf(sort, uid)))).flat()),
    async remove({ names }, signal) {
      const args = names.flatMap((name) => {
        const [sort, id = ''] = name.split(' ')
        return [SORTS[sort as Sort].option, id]
      })
      await tools.run('ipcrm', args, { signal })
    },
  }
}

async function objectsOf(sort: Sort, uid: number): Promise<string[]> {
  const table = (await readFile(`/proc/sysvipc/${sort}`, 'utf8')).trim().split('\n')
  const [titles = [], ...rows] = table.map((line) => line.trim().split(/\s+/))
  const [id, owner, creator] = [SORTS[sort].column, 'uid', 'cuid'].map((title) => titles.indexOf(title))
  if ([id, owner, creator].includes(-1)) throw new Error(`/proc/sysvipc/${sort} cannot be read`)
  const isGuests = (row: string[]) => Number(row[owner ?? -1]) === uid || Number(row[creator ?? -1]) === uid
  return rows.filter(isGuests).map((row) => `${sort} ${row[id ?? -1] ?? ''}`)
}

/** POSIX message queues. They exist also where their file system is not mounted. Source: mq_overview(7). */
export function messageQueues(owner: GuestAccount, tools: HostTools): Leftovers {
  const files = filesIn({ kind: 'messageQueues', folders: [QUEUES], owner }, tools)
  return {
    ...files,
    find: async () => {
      const isMounted = (await readMounts()).some(({ type, point }) => type === 'mqueue' && point === QUEUES)
      if (!isMounted) {
        await tools.run('mkdir', ['-p', QUEUES])
        await tools.run('mount', ['-t', 'mqueue', '-o', 'nosuid,nodev,noexec', 'mqueue', QUEUES])
      }
      return files.find()
    },
  }
}
