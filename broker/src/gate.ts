/**
 * Lets at most `width` tasks run at a time, the others wait their turn. One that is not done `limitMs` after it was
 * asked for, its wait included, rejects with what `late` makes and gives its place to the next.
 */
export function createGate(width: number, limitMs: number, late: () => Error) {
  /** In the order asked. */
  const waiting = new Set<() => void>()
  let free = width

  function leave() {
    const [next] = waiting
    if (!next) {
      free += 1
      return
    }
    waiting.delete(next)
    next()
  }

  return <T>(begin: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      let isSettled = false
      const settle = (tell: () => void) => {
        if (isSettled) return
        isSettled = true
        clearTimeout(timer)
        tell()
        if (!waiting.delete(start)) leave()
      }
      const start = () => {
        const task = begin()
        const done = () => settle(() => resolve(task))
        task.then(done, done)
      }
      const timer = setTimeout(() => settle(() => reject(late())), limitMs)
      if (free > 0) {
        free -= 1
        start()
      } else waiting.add(start)
    })
}
