export interface Conditions {
  /** Resolves with whether it became true within the limit, ms. Without a limit it waits until it is true. */
  becomes: (isTrue: () => boolean, limitMs?: number) => Promise<boolean>
  /** To be called whenever a condition may have changed. */
  check: () => void
}

/** Waits until something is true. It checks at once, and again at each call of `check`. It never polls. */
export function createConditions(): Conditions {
  const watchers = new Set<() => void>()
  return {
    becomes: (isTrue, limitMs) =>
      new Promise((resolve) => {
        const settle = (isMet: boolean) => {
          clearTimeout(timer)
          watchers.delete(watch)
          resolve(isMet)
        }
        const watch = () => {
          if (isTrue()) settle(true)
        }
        const timer = limitMs === undefined ? undefined : setTimeout(() => settle(false), limitMs)
        watchers.add(watch)
        watch()
      }),
    check: () => {
      for (const watch of [...watchers]) watch()
    },
  }
}
