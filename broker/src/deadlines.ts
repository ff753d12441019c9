export interface Deadline {
  /** Starts again from now. */
  refresh(): void
  stop(): void
}

/** Waits for so many milliseconds in which the process ran, then calls. */
export type Deadlines = (ms: number, onLate: () => void) => Deadline

interface DeadlinePorts {
  /** Unix milliseconds. */
  nowMs(): number
  /** Milliseconds since an instant in which the process stood still, and heard nobody. */
  missedSinceMs?(sinceMs: number): number
}

/**
 * Deadlines for what clients should have said. After a pause of the process timers run before the sockets are read:
 * whoever spoke meanwhile would be found late. So the time that was missed is given back.
 */
export function createDeadlines({ nowMs, missedSinceMs = () => 0 }: DeadlinePorts): Deadlines {
  return (ms, onLate) => {
    let sinceMs = nowMs()
    let givenMs = 0
    const due = () => {
      const missedMs = Math.max(0, missedSinceMs(sinceMs) - givenMs)
      if (missedMs === 0) {
        onLate()
        return
      }
      givenMs += missedMs
      timer = setTimeout(due, missedMs).unref()
    }
    let timer = setTimeout(due, ms).unref()
    return {
      refresh() {
        sinceMs = nowMs()
        if (givenMs === 0) {
          timer.refresh()
          return
        }
        givenMs = 0
        clearTimeout(timer)
        timer = setTimeout(due, ms).unref()
      },
      stop: () => clearTimeout(timer),
    }
  }
}
