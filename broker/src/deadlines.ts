export interface Deadline {
  /** Restarts from now. */
  refresh(): void
  stop(): void
}

/** Calls back after this many milliseconds in which the process ran. */
export type Deadlines = (ms: number, onLate: () => void) => Deadline

interface DeadlinePorts {
  /** Unix milliseconds. */
  nowMs(): number
  /** Milliseconds since an instant in which the process was stopped and received nothing. */
  missedSinceMs?(sinceMs: number): number
}

/**
 * Deadlines for messages that clients must send. After a pause of the process, timers run before the sockets are read,
 * so a client could be too late although it has sent something. So the time of the pause is added.
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
