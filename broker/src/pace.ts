/** Counts events of about the last `windowMs` milliseconds: in the current window and the previous one. */
export function createPace(windowMs: number, nowMs: () => number) {
  let window = 0
  let current = 0
  let previous = 0

  function turn() {
    const now = Math.floor(nowMs() / windowMs)
    if (now === window) return
    previous = now === window + 1 ? current : 0
    current = 0
    window = now
  }

  return {
    count(): void {
      turn()
      current += 1
    },
    /** The larger of the two windows, because a window that has just begun says nothing yet. */
    recent(): number {
      turn()
      return Math.max(previous, current)
    },
  }
}
