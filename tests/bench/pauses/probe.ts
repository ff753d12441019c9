/**
 * Runs inside the measured server, loaded before it (`node --import`). Told `pause:start` over the channel to its parent,
 * it watches the event loop; told `pause:stop`, it answers the longest time for which nothing else could run.
 *
 * Measured is the processor time of the main thread between two turns of the loop, not the time of the clock: on a
 * machine with other programs the clock also counts how long those had the processor.
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

// Processes that the server starts load this too; they have channels of their own.
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
