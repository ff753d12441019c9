import type { Logger } from 'pino'
import type { HeartbeatFacts } from '../core/index.ts'
import type { Platform } from '../platform/platform.ts'

interface HeartbeatOptions {
  platform: Pick<Platform, 'metrics'>
  log: Logger
  intervalMs: () => number
  send: (facts: HeartbeatFacts) => Promise<unknown>
}

/** Sends the metrics of the machine at regular intervals. */
export function createHeartbeat({ platform, log, intervalMs, send }: HeartbeatOptions) {
  let seq = 0
  let timer: NodeJS.Timeout | undefined
  let scheduledMs = 0

  const beat = async () => {
    const metrics = await platform.metrics().catch((err: unknown) => {
      log.warn({ err }, 'the metrics of this machine cannot be read')
      return {}
    })
    const facts = { ...metrics, seq }
    seq += 1
    await send(facts)
  }

  return {
    beat,
    /** Starts the timer, or restarts it if the interval has changed. */
    schedule: () => {
      if (intervalMs() === scheduledMs) return
      scheduledMs = intervalMs()
      clearInterval(timer)
      timer = setInterval(() => void beat(), scheduledMs)
    },
    stop: () => clearInterval(timer),
  }
}
