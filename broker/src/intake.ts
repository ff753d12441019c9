import { setTimeout as pause } from 'node:timers/promises'
import { topicTable } from '@escale/protocol'
import type { Logger } from 'pino'
import type { LogThrottle } from './log-throttle.ts'
import type { BrokerPorts, Received, Verdict } from './ports.ts'

const DEFAULT_HOLD_MS = 10_000
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2_000
/** How much of a discarded message is logged: enough to enter it by hand. */
const MAX_LOGGED_CHARACTERS = 2_000

/**
 * The result of a message. `unstored`: storing may succeed later, so the client must send it again. `failed`: it will
 * never succeed because of an error in the server, so it is acknowledged and not sent again. `abandoned`: its
 * connection or the broker is closing.
 */
export type Outcome = Verdict | 'unstored' | 'failed' | 'abandoned'

export type Intake = ReturnType<typeof createIntake>

interface IntakeParts {
  ports: Pick<BrokerPorts, 'receive' | 'isTemporary'>
  log: Logger
  throttle: LogThrottle
  /** How long storing a message is tried again, milliseconds; default 10 000. */
  holdMs?: number
}

/**
 * Messages that the server cannot store now are tried again, with growing pauses. The limit is below the keepalive of
 * stations, so that the closed connection tells them that the message was not stored.
 */
export function createIntake({ ports, log, throttle, holdMs = DEFAULT_HOLD_MS }: IntakeParts) {
  const stopping = new AbortController()
  const isOver = (isWanted: () => boolean) => stopping.signal.aborted || !isWanted()

  async function takeAgain(message: Received, isWanted: () => boolean, cause: unknown): Promise<Outcome> {
    const startedMs = performance.now()
    let err = cause
    let waitMs = FIRST_WAIT_MS
    while (ports.isTemporary?.(err) === true) {
      // This message needs no acknowledgement, and the next one has newer data.
      if (topicTable[message.name].qos === 0) {
        complain('message without a promise not taken', message, err)
        return 'drop'
      }
      if (performance.now() - startedMs + waitMs > holdMs) return 'unstored'
      complain('nothing can be stored, trying again', message, err)
      await pause(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (isOver(isWanted)) return 'abandoned'
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)
      try {
        return await ports.receive(message)
      } catch (next) {
        err = next
      }
    }
    log.error({ err, ...whose(message), lost: shown(message) }, 'message not taken')
    return 'failed'
  }

  /** Once a minute for all clients, because a full disk affects all of them. */
  function complain(what: string, message: Received, err: unknown) {
    const heldBack = throttle(what)
    if (heldBack !== undefined) log.error({ err, ...whose(message), heldBack }, what)
  }

  return {
    /** Passes one message to the server. Returns a promise only if the server returns one. */
    take(message: Received, isWanted: () => boolean): Outcome | Promise<Outcome> {
      if (isOver(isWanted)) return 'abandoned'
      let answer: Verdict | Promise<Verdict>
      try {
        answer = ports.receive(message)
      } catch (err) {
        return takeAgain(message, isWanted, err)
      }
      if (typeof answer === 'string') return answer
      return answer.catch((err: unknown) => takeAgain(message, isWanted, err))
    },
    /** Accepts nothing more and ends all waits. */
    stop: () => stopping.abort(),
  }
}

const whose = ({ name, party }: Received) => ({ name, party })

/** Requests are not logged, because they contain access codes. */
function shown({ name, payload }: Received): string | undefined {
  return topicTable[name].isPrivate ? undefined : JSON.stringify(payload).slice(0, MAX_LOGGED_CHARACTERS)
}
