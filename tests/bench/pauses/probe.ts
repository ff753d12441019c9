/**
 * Runs inside the measured server, loaded before it (`node --import`). Its parent process sends `pause:start` to begin,
 * and `pause:stop` to get the longest time for which the event loop was blocked.
 *
 * It measures the processor time of the main thread between two turns of the loop, not wall-clock time, which would
 * include the time that other programs use the processor.
 */
const TICK_MS = 1

let longestUs = 0
let lastUs = 0
let timer: NodeJS.Timeout | undefined

function usedUs(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

function tick(): void {
  const nowUs = usedUs()
  longestUs = Math.max(longestUs, nowUs - lastUs)
  lastUs = nowUs
}

// Processes that the server starts load this file too, and they use the channel for other messages.
if (process.argv[1]?.endsWith('server.ts')) {
  process.on('message', (message) => {
    if (message === 'pause:start') {
      longestUs = 0
      lastUs = usedUs()
      timer = setInterval(tick, TICK_MS)
      process.send?.({ isWatching: true })
    }
    if (message === 'pause:stop') {
      tick()
      clearInterval(timer)
      process.send?.({ pauseMs: longestUs / 1_000 })
    }
  })
}
