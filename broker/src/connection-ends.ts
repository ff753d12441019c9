import { addressGroupOf } from '@escale/protocol'
import type { Client } from 'aedes'
import type { Logger } from 'pino'
import type { Connections } from './connections.ts'
import type { LogThrottle } from './log-throttle.ts'
import type { Origin } from './ports.ts'
import { isRefusal } from './refusal.ts'

interface ConnectionEndsParts {
  log: Logger
  throttle: LogThrottle
  connections: Connections
  originOf: (client: Client) => Origin
}

interface About {
  clientId?: string
  address?: string
  reason: string
}

export type ConnectionEnds = ReturnType<typeof createConnectionEnds>

/** Counts refused, closed and lost connections, and logs the reasons. */
export function createConnectionEnds({ log, throttle, connections, originOf }: ConnectionEndsParts) {
  const counts = { connectionsRefused: 0, policyViolations: 0 }
  const seen = new WeakSet<Client>()

  /** Once a minute for each client or address and reason, so that nobody can fill the disk with log lines. */
  function tell(about: About, what: string, level: 'warn' | 'info' = 'warn') {
    const { clientId, address, reason } = about
    const heldBack = throttle(`${what} ${clientId ?? address} ${reason}`)
    if (heldBack !== undefined) log[level]({ ...about, heldBack }, what)
  }

  function refused(about: About) {
    counts.connectionsRefused += 1
    tell(about, 'mqtt connection refused')
  }

  function failed(ip: string, err: Error) {
    const { details = {}, isForAll = false } = isRefusal(err) ? err : {}
    // A storm comes from thousands of addresses and gets only one line.
    const address = isForAll ? undefined : addressGroupOf(ip)
    refused({ address, reason: err.message, ...details })
  }

  return {
    /** Aedes emits an error for each message on its way to a broken connection. Only the first one has the reason. */
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
    /** A connection ended before its login. */
    failed,
    /** An address has too many connections without a login, so one of them was closed. */
    turnedAway: (address: string) =>
      refused({ address, reason: 'too many connections that are not logged in' }),
    counts: () => ({ ...counts }),
  }
}
