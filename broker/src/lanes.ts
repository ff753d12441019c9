type Task = () => Promise<void> | undefined

export interface Lanes {
  /** Runs `task` after all earlier tasks of the same key; at once, and without a promise, when there are none. */
  run(key: string, task: Task): void
  /** Resolves when every lane is empty. */
  idle(): Promise<void>
}

/** Queues of work, one per key: in order within a key, independent across keys. Tasks must not throw or reject. */
export function createLanes(): Lanes {
  const waitingByKey = new Map<string, Task[]>()
  const drains = new Set<Promise<void>>()

  async function drain(key: string, running: Promise<void>, waiting: Task[]) {
    await running
    for (let next = waiting.shift(); next; next = waiting.shift()) await next()
    waitingByKey.delete(key)
  }

  return {
    run(key, task) {
      const waiting = waitingByKey.get(key)
      if (waiting) {
        waiting.push(task)
        return
      }
      const running = task()
      if (!running) return
      const queue: Task[] = []
      waitingByKey.set(key, queue)
      const drained = drain(key, running, queue).finally(() => drains.delete(drained))
      drains.add(drained)
    },
    async idle() {
      while (drains.size > 0) await Promise.all(drains)
    },
  }
}
