type Task = () => Promise<void> | undefined

export type Lanes = ReturnType<typeof createLanes>

/** One queue of tasks for each key: in order within a key, independent between keys. Tasks must not throw or reject. */
export function createLanes() {
  const waitingByKey = new Map<string, Task[]>()
  const drains = new Set<Promise<void>>()

  async function drain(key: string, running: Promise<void>, waiting: Task[]) {
    await running
    for (let next = waiting.shift(); next; next = waiting.shift()) await next()
    waitingByKey.delete(key)
  }

  return {
    /** Runs `task` after all earlier tasks of the same key; at once and without a promise if there are none. */
    run(key: string, task: Task): void {
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
    /** Resolves when every lane is empty. */
    async idle(): Promise<void> {
      while (drains.size > 0) await Promise.all(drains)
    },
  }
}
