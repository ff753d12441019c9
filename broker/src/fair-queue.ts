import type { Deadlines } from './deadlines.ts'

export interface FairQueueLimits {
  /** Tasks that run at the same time. */
  width: number
  /** Maximum for one group. */
  perGroup: number
  /** Places reserved for preferred groups. */
  reserved: number
  /** Milliseconds until a task fails, including its wait. */
  limitMs: number
}

interface FairQueueParts {
  deadline: Deadlines
  isPreferred(group: string): boolean
  /** Creates the error of a task that takes too long. */
  late(): Error
  /** Creates the error of a task that is displaced by one of another group. */
  displaced(): Error
  /** While this is false no task starts. Call {@link FairQueue.startNext} when it may have changed. */
  mayStart?(): boolean
  /** How many tasks may wait. Beyond that, a task of the group with the most waiting tasks is displaced. */
  maxWaiting(): number
}

interface Task {
  start(): void
  giveUp(err: Error): void
}

export interface FairQueue {
  /**
   * Runs a task when it is its group's turn.
   * @throws the error of `late` or `displaced` if the task does not finish
   */
  run<T>(group: string, begin: () => Promise<T>): Promise<T>
  /** Whether one more task of this group may wait: there is room, or another group has more waiting tasks. */
  hasRoom(group: string): boolean
  startNext(): void
}

/**
 * Runs a few tasks at a time. Groups take turns, so that a group with many tasks does not delay one with few. A failed
 * task frees its place.
 */
export function createFairQueue(limits: FairQueueLimits, parts: FairQueueParts): FairQueue {
  const { width, perGroup, reserved, limitMs } = limits
  const { deadline, isPreferred, late, displaced, mayStart = () => true, maxWaiting } = parts
  /** By group, in order of arrival. The next group comes first. */
  const waiting = new Map<string, Set<Task>>()
  const running = new Map<string, number>()
  let waitingCount = 0
  let free = width

  const count = (group: string, by: number) => {
    const now = (running.get(group) ?? 0) + by
    if (now === 0) running.delete(group)
    else running.set(group, now)
    free -= by
  }
  const hasPlace = (group: string) =>
    (running.get(group) ?? 0) < perGroup && (free > reserved || isPreferred(group))

  function startNext() {
    // A group that starts a task is moved to the end of this loop.
    for (const [group, tasks] of waiting) {
      if (free === 0 || !mayStart()) return
      if (!hasPlace(group)) continue
      const [task] = tasks
      forget(group, task)
      if (tasks.size > 0) {
        waiting.delete(group)
        waiting.set(group, tasks)
      }
      task?.start()
    }
  }

  function forget(group: string, task: Task | undefined): boolean {
    const tasks = waiting.get(group)
    const wasWaiting = task !== undefined && tasks?.delete(task) === true
    if (wasWaiting) waitingCount -= 1
    if (tasks?.size === 0) waiting.delete(group)
    return wasWaiting
  }

  /** The tasks of the group with the most waiting tasks, if it has at least two more than `group`. */
  function crowdBeside(group: string): Set<Task> | undefined {
    let crowd: Set<Task> | undefined
    let most = (waiting.get(group)?.size ?? 0) + 1
    for (const tasks of waiting.values()) {
      if (tasks.size <= most) continue
      crowd = tasks
      most = tasks.size
    }
    return crowd
  }

  const isFull = () => waitingCount >= maxWaiting()

  /** The newest task is displaced, because it has waited for the shortest time. */
  function makeRoom(group: string): boolean {
    if (!isFull()) return true
    const newest = [...(crowdBeside(group) ?? [])].at(-1)
    newest?.giveUp(displaced())
    return newest !== undefined
  }

  function run<T>(group: string, begin: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let isSettled = false
      const settle = (tell: () => void) => {
        if (isSettled) return
        isSettled = true
        limit.stop()
        tell()
        if (forget(group, task)) return
        count(group, -1)
        startNext()
      }
      const task: Task = {
        start() {
          count(group, 1)
          const work = begin()
          const done = () => settle(() => resolve(work))
          work.then(done, done)
        },
        giveUp: (err) => settle(() => reject(err)),
      }
      if (!makeRoom(group)) {
        reject(displaced())
        return
      }
      const limit = deadline(limitMs, () => task.giveUp(late()))
      const tasks = waiting.get(group) ?? new Set()
      waiting.set(group, tasks.add(task))
      waitingCount += 1
      startNext()
    })
  }

  return { run, hasRoom: (group) => !isFull() || crowdBeside(group) !== undefined, startNext }
}
