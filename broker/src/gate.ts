import type { Deadlines } from './deadlines.ts'

export interface GateLimits {
  /** Tasks that run at a time. */
  width: number
  /** Of these, those of one group. */
  perGroup: number
  /** Places that only groups known to be welcome may take. */
  reserved: number
  /** Milliseconds until a task is given up, its wait included. */
  limitMs: number
}

type Gate = <T>(group: string, begin: () => Promise<T>) => Promise<T>

/**
 * Lets a few tasks run at a time; the groups that the others belong to take turns, so that one with many keeps none
 * with few waiting. A task that is not done in time rejects with what `late` makes and gives its place to the next.
 */
export function createGate(
  { width, perGroup, reserved, limitMs }: GateLimits,
  parts: { deadline: Deadlines; isWelcome: (group: string) => boolean; late: () => Error },
): Gate {
  const { deadline, isWelcome, late } = parts
  /** By group, each in the order asked; the group whose turn is next comes first. */
  const waiting = new Map<string, Set<() => void>>()
  const running = new Map<string, number>()
  let free = width

  const count = (group: string, by: number) => {
    const now = (running.get(group) ?? 0) + by
    if (now === 0) running.delete(group)
    else running.set(group, now)
    free -= by
  }
  const mayStart = (group: string) =>
    free > 0 && (running.get(group) ?? 0) < perGroup && (free > reserved || isWelcome(group))

  function startNext() {
    // A group that starts one goes to the end of this very loop.
    for (const [group, tasks] of waiting) {
      if (free === 0) return
      if (!mayStart(group)) continue
      const [start] = tasks
      forget(group, start)
      if (tasks.size > 0) {
        waiting.delete(group)
        waiting.set(group, tasks)
      }
      start?.()
    }
  }

  function forget(group: string, start: (() => void) | undefined): boolean {
    const tasks = waiting.get(group)
    const wasWaiting = start !== undefined && tasks?.delete(start) === true
    if (tasks?.size === 0) waiting.delete(group)
    return wasWaiting
  }

  return <T>(group: string, begin: () => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      let isSettled = false
      const settle = (tell: () => void) => {
        if (isSettled) return
        isSettled = true
        limit.stop()
        tell()
        if (forget(group, start)) return
        count(group, -1)
        startNext()
      }
      const start = () => {
        count(group, 1)
        const task = begin()
        const done = () => settle(() => resolve(task))
        task.then(done, done)
      }
      const limit = deadline(limitMs, () => settle(() => reject(late())))
      const tasks = waiting.get(group) ?? new Set()
      waiting.set(group, tasks.add(start))
      startNext()
    })
}
