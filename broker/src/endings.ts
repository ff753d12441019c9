import { addressGroupOf } from '@escale/protocol'
import type { Client } from 'aedes'
import type { Logger } from 'pino'
import type { Connections } from './connections.ts'
import type { createLogThrottle } from './log-throttle.ts'
import type { Origin } from './ports.ts'
import { isRefusal } from './refusal.ts'

interface EndingParts {
  log: Logger
  throttle: ReturnType<typeof createLogThrottle>
  connections: Connections
  originOf: (client: Client) => Origin
}

/** Counts and tells why connections were refused, thrown out or lost. */
export function createEndings({ log, throttle, connections, originOf }: EndingParts) {
  const counts = { connectionsRefused: 0, policyViolations: 0 }
  const seen = new WeakSet<Client>()

  /** Once a minute for each client or address, and reason: who may write to the log must not fill the disk. */
  function tell(
    about: { clientId?: string; address?: string; reason: string },
    what: string,
    level: 'warn' | 'info' = 'warn',
  ) {
    const { clientId, address, reason } = about
    const heldBack = throttle(`${what} ${clientId ?? address} ${reason}`)
    if (heldBack !== undefined) log[level]({ ...about, heldBack }, what)
  }

  function refused(address: string, reason: string, details: object = {}) {
    counts.connectionsRefused += 1
    tell({ address, reason, ...details }, 'mqtt connection refused')
  }

  function failed(ip: string, err: Error) {
    refused(addressGroupOf(ip), err.message, isRefusal(err) ? err.details : {})
  }

  return {
    /** Aedes tells of an error for each message that was on its way to a broken connection: the first one says why. */
    ended(client: Client, err: Error) {
      if (seen.has(client)) return
      seen.add(client)
      const clientId = connections.of(client)?.clientId
      if (clientId === undefined) {
        failed(originOf(client).ip, err)
      } else if (isRefusal(err)) {
        counts.policyViolations += 1
        tell({ clientId, reason: err.message, ...err.details }, 'mqtt client thrown out')
      } else {
        tell({ clientId, reason: err.message }, 'mqtt connection lost', 'info')
      }
    },
    /** A connection came to nothing before anybody logged in on it. */
    failed,
    /** A stranger was turned away, or gave way to another. */
    turnedAway: (address: string) => refused(address, 'too many connections that are not logged in'),
    counts: () => ({ ...counts }),
  }
}
