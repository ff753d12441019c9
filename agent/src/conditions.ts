export interface Conditions {
  /** Resolves with whether it became true within the limit, ms; without one it waits for as long as that takes. */
  becomes: (isTrue: () => boolean, limitMs?: number) => Promise<boolean>
  /** To be called whenever something may have changed. */
  look: () => void
}

/** Waits until something is true. It is asked for at once, and again after each change, never on a timer. */
export function createConditions(): Conditions {
  const watchers = new Set<() => void>()
  return {
    becomes: (isTrue, limitMs) =>
      new Promise((resolve) => {
        const settle = (isSo: boolean) => {
          clearTimeout(timer)
          watchers.delete(watch)
          resolve(isSo)
        }
        const watch = () => {
          if (isTrue()) settle(true)
        }
        const timer = limitMs === undefined ? undefined : setTimeout(() => settle(false), limitMs)
        watchers.add(watch)
        watch()
      }),
    look: () => {
      for (const watch of [...watchers]) watch()
    },
  }
}
