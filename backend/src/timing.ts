/**
 * What `work` gives, or what `late` makes once `limitMs` have passed. The work itself goes on; should it fail later,
 * nobody hears of it.
 */
export async function within<T, L>(limitMs: number, work: Promise<T>, late: () => L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs)
  })
  try {
    return await Promise.race([work, limit.then(late)])
  } finally {
    clearTimeout(timer)
  }
}

/** Runs one work at a time, in the order asked. */
export type Queue = <T>(work: () => T | Promise<T>) => Promise<T>

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const result = last.then(work)
    // Whoever asked for it hears of a failure; the next one runs all the same.
    last = result.catch(() => undefined)
    return result
  }
}
