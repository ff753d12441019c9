import type { Client, ConnectPacket } from 'aedes'
import type { Deadline, Deadlines } from './deadlines.ts'

/** What this file needs of Aedes beyond its published types; it is pinned. */
interface TimedClient {
  _connectTimer: unknown
  _keepaliveTimer: unknown
  _keepaliveInterval: number
  _drainTimer: unknown
  /** Packets of the client that are being processed. */
  _parsingBatch: number
  _handleDrainTimeout(): void
}

export type ClientTimeouts = ReturnType<typeof createClientTimeouts>

interface ClientTimeoutsParts {
  deadline: Deadlines
  /** Whether the process was stopped in the last milliseconds, this many. */
  hasPaused(withinMs: number): boolean
  connectTimeoutMs: number
  drainTimeoutMs: number
}

/** Replaces the timers of Aedes by deadlines that do not count time in which the server was slow. */
export function createClientTimeouts(parts: ClientTimeoutsParts) {
  const { deadline, hasPaused, connectTimeoutMs, drainTimeoutMs } = parts
  const connects = new WeakMap<Client, Deadline>()

  return {
    /** Call it with each new client. */
    expectConnect(client: Client): void {
      const internals = client as unknown as TimedClient
      clearTimeout(internals._connectTimer as NodeJS.Timeout)
      const late = () => client.emit('error', new Error('connect did not arrive in time'))
      const connect = deadline(connectTimeoutMs, late)
      connects.set(client, connect)
      client.conn.once('close', () => connect.stop())

      const giveUp = internals._handleDrainTimeout.bind(client)
      internals._handleDrainTimeout = () => {
        if (hasPaused(drainTimeoutMs))
          internals._drainTimer = setTimeout(() => internals._handleDrainTimeout(), drainTimeoutMs).unref()
        else giveUp()
      }
    },

    /** Call it with the client's CONNECT. */
    keepAlive(client: Client, packet: ConnectPacket): void {
      connects.get(client)?.stop()
      const { keepalive = 0 } = packet
      // Aedes starts its own timer for any other value.
      packet.keepalive = 0
      if (keepalive === 0) return
      const internals = client as unknown as TimedClient
      // If packets of the client wait for us, its ping may be behind them, still unread.
      const isOurs = () => client.connecting || internals._parsingBatch > 0 || client.conn.readableLength > 0
      const late = () => {
        if (isOurs()) timer.refresh()
        else client.emit('error', new Error('keep alive timeout'))
      }
      // One and a half times the client's keepalive [MQTT-3.1.2-24].
      const intervalMs = keepalive * 1_500 + 1
      const timer = deadline(intervalMs, late)
      client.conn.once('close', () => timer.stop())
      // Aedes refreshes it with each packet.
      internals._keepaliveTimer = timer
      internals._keepaliveInterval = intervalMs
    },
  }
}
