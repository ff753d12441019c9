import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { GuestAccount } from './account.ts'
import type { HostTools } from './host-tools.ts'
import { found, type Leftovers } from './leftovers.ts'
import { readMounts } from './mount-table.ts'

const KILL_LIMIT_MS = 5_000
const KILL_PAUSE_MS = 20

interface Process {
  pid: number
  name: string
}

/**
 * The guest's programs: all that run as the guest, and all in the control group of the guest's logins, whoever they run
 * as. Source: proc(5), cgroup-v2 (cgroup.kill), kill(2).
 */
export function guestProcesses({ uid, gid }: GuestAccount, tools: HostTools): Leftovers {
  const all = async () => [...(await runningAs(uid)), ...(await inGroupOf(uid, tools))]

  async function find(): Promise<ReturnType<typeof found>> {
    const names = new Map((await all()).map(({ pid, name }) => [pid, `${name} (${pid})`]))
    return found([...names.values()])
  }

  return {
    kind: 'processes',
    find,
    async remove(_, signal) {
      const endMs = performance.now() + KILL_LIMIT_MS
      for (;;) {
        const group = await groupFolder(uid, tools)
        // The kernel kills the whole group at once. A kernel before 5.14 does not have this file.
        if (group !== undefined) await writeFile(join(group, 'cgroup.kill'), '1').catch(() => undefined)
        // Sent by the guest itself: the kernel reaches all of its processes at once, faster than they can fork.
        await tools
          .attempt('sh', ['-c', 'kill -KILL -1'], { signal, as: { uid, gid } })
          .catch(() => undefined)
        for (const { pid } of await all()) kill(pid)
        if ((await all()).length === 0 || performance.now() > endMs) return
        await pause(KILL_PAUSE_MS, undefined, { signal })
      }
    },
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ESRCH') throw err
  }
}

async function runningAs(uid: number): Promise<Process[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger)
  const described = await Promise.all(pids.map(describe))
  return described.flatMap((one) => (one?.uids.includes(uid) ? [one] : []))
}

/** Undefined for a process that has ended, also if its parent has not noticed it yet. */
async function describe(pid: number): Promise<(Process & { uids: number[] }) | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]
  const uids = field('Uid')?.split(/\s+/).map(Number)
  if (uids === undefined || /^[ZX]/.test(field('State') ?? '')) return undefined
  return { pid, name: field('Name') ?? '', uids }
}

async function inGroupOf(uid: number, tools: HostTools): Promise<Process[]> {
  const group = await groupFolder(uid, tools)
  if (group === undefined) return []
  const names = await readdir(group, { recursive: true }).catch(() => [])
  const lists = ['cgroup.procs', ...names.filter((name) => basename(name) === 'cgroup.procs')]
  const texts = await Promise.all(lists.map((name) => readFile(join(group, name), 'utf8').catch(() => '')))
  const pids = texts.join('\n').split('\n').map(Number)
  const described = await Promise.all([...new Set(pids)].filter((pid) => pid > 0).map(describe))
  return described.filter((one) => one !== undefined)
}

/** The control group of the guest's logins; undefined without cgroup v2. It may not exist. */
async function groupFolder(uid: number, tools: HostTools): Promise<string | undefined> {
  const root = (await readMounts()).find(({ type }) => type === 'cgroup2')
  return root && tools.path(join(root.point, 'user.slice', `user-${uid}.slice`))
}
