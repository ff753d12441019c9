import type { Aedes } from 'aedes'
import type { BrokerStats } from './ports.ts'

const INTERVAL_MS = 10_000
const MINUTE_MS = 60_000

/**
 * The broker's metrics, retained under `$SYS/broker/` with the usual names; `load` is about the last minute.
 * @param intervalMs milliseconds between two publications
 * @returns a function that stops it
 */
export function publishSysMetrics(
  aedes: Aedes,
  stats: () => BrokerStats,
  nowMs: () => number,
  intervalMs = INTERVAL_MS,
): () => void {
  const startedMs = nowMs()
  let past = [{ atMs: startedMs, received: 0, sent: 0 }]

  function tell() {
    const atMs = nowMs()
    const now = stats()
    const [first = { atMs, received: 0, sent: 0 }] = past
    const perMinute = (count: number) =>
      Math.round((count * MINUTE_MS) / Math.max(MINUTE_MS / 60, atMs - first.atMs))
    const metrics: Record<string, number> = {
      uptime: Math.floor((atMs - startedMs) / 1_000),
      'clients/connected': now.clients,
      'messages/received': now.messagesReceived,
      'messages/sent': now.messagesSent,
      'load/messages/received/1min': perMinute(now.messagesReceived - first.received),
      'load/messages/sent/1min': perMinute(now.messagesSent - first.sent),
      'retained messages/count': now.retained,
      'dropped/payload': now.dropped,
      'dropped/slow-subscriber': now.skipped,
      'refused/connections': now.connectionsRefused,
      'refused/policy': now.policyViolations,
    }
    const fresh = past.filter((sample) => atMs - sample.atMs < MINUTE_MS)
    past = [...fresh, { atMs, received: now.messagesReceived, sent: now.messagesSent }]
    for (const [name, value] of Object.entries(metrics)) {
      const payload = Buffer.from(String(value))
      const topic = `$SYS/broker/${name}`
      aedes.publish({ cmd: 'publish', topic, payload, qos: 0, retain: true, dup: false }, () => undefined)
    }
  }

  tell()
  const timer = setInterval(tell, intervalMs).unref()
  return () => clearInterval(timer)
}
