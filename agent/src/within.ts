/** What `work` resolves with; undefined where it rejects, or takes longer than `limitMs`. */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs)
  })
  try {
    return await Promise.race([work.catch(() => undefined), limit])
  } finally {
    clearTimeout(timer)
  }
}
