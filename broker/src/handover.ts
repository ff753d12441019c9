import type { AedesOptions, Client } from 'aedes'
import type { Connection, Connections } from './connections.ts'
import type { Intake, Outcome } from './intake.ts'
import type { Lanes } from './lanes.ts'
import type { Received } from './ports.ts'
import type { RefusalAnswers } from './refusal-answers.ts'

type AuthorizePublish = NonNullable<AedesOptions['authorizePublish']>
export type Packet = Parameters<AuthorizePublish>[1]
export type Done = Parameters<AuthorizePublish>[2]

/** How long clients that were lost while the process was stopped may take to reconnect, milliseconds. */
const BACK_WITHIN_MS = 5_000

/** One message that a client published. */
export interface Incoming {
  packet: Packet
  /** Absent for the will of a client of a dead server process. */
  connection: Connection | undefined
  done: Done
}

interface HandoverParts {
  intake: Intake
  lanes: Lanes
  answers: RefusalAnswers
  connections: Connections
  drop(packet: Packet, done: Done): void
  /** Whether the process was stopped in the last milliseconds, this many. */
  hasPaused(withinMs: number): boolean
  /** A station's report was processed. */
  opened(client: Client): void
}

/** Passes messages to the server, one at a time per party, and acknowledges them according to the result. */
export function createHandover(parts: HandoverParts) {
  const { intake, lanes, answers, connections, drop } = parts

  /**
   * No acknowledgement without a commit: if a message cannot be stored, the connection is closed and the client sends
   * it again.
   */
  function settle(outcome: Outcome, message: Received, incoming: Incoming): Promise<void> | undefined {
    const { packet, connection, done } = incoming
    if (message.name === 'reported' && connection) parts.opened(connection.client)
    if (outcome === 'route') done(null)
    else if (outcome === 'drop') drop(packet, done)
    else if (outcome === 'failed' || (outcome === 'unstored' && message.name === 'automationRequest')) {
      // A failed request can be answered with an error. An event has happened, so it must be sent again.
      if (message.name === 'request' || message.name === 'automationRequest') {
        const code = outcome === 'failed' ? 'internal' : 'storage-unavailable'
        return answers
          .refuse(message.name, message.party, code, message.payload.id)
          .then(() => drop(packet, done))
      }
      drop(packet, done)
    } else {
      if (connection) connection.isRevoked = true
      done(new Error('message not stored'))
    }
    return undefined
  }

  /** Passes one message on. Returns a promise only if the port returns one. */
  return function handOver(message: Received, incoming: Incoming): void {
    const { packet, connection } = incoming
    // Read now, because Aedes forgets the will while the message waits.
    const isDueWill = connection !== undefined && isWill(packet, connection)
    const isWanted = () => !connection || isDueWill || !connection.isRevoked
    // While this server was stopped its clients disconnected, and they are reconnecting now.
    if (isDueWill && parts.hasPaused(BACK_WITHIN_MS)) setTimeout(takeInTurn, BACK_WITHIN_MS).unref()
    else takeInTurn()

    function takeInTurn() {
      message.isSuperseded = isDueWill && connections.hasNewer(connection)
      lanes.run(laneOf(packet.topic), takeNow)
    }
    function takeNow() {
      const outcome = intake.take(message, isWanted)
      if (typeof outcome !== 'string') return outcome.then((later) => settle(later, message, incoming))
      return settle(outcome, message, incoming)
    }
  }
}

function isWill(packet: Packet, connection: Connection): boolean {
  return connection.client.closed && (connection.client as Client & { will?: unknown }).will === packet
}

/** One lane per station or automation: its topic without the last level. */
export function laneOf(topic: string): string {
  return topic.slice(0, topic.lastIndexOf('/'))
}
