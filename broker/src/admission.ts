import type { Client } from 'aedes'
import type { Deadline, Deadlines } from './deadlines.ts'
import { createFairQueue } from './fair-queue.ts'
import { createPace } from './pace.ts'
import { busy, CONNACK, refusal } from './refusal.ts'

/** Maximum number of credentials that are looked up at the same time. */
export const MAX_LOGINS_AT_ONCE = 32
/** Maximum for one address. The addresses take turns. */
export const MAX_LOGINS_PER_ADDRESS = 16
/** Places reserved for addresses that logged in recently. */
const RESERVED_LOGINS = 8
/**
 * Maximum number of stations that are logged in and have not reported yet. More are admitted when these have reported.
 */
const MAX_OPENING = 128
/** This many clients may always wait for their login, so that a small room is never refused. */
export const MIN_WAITING = 256
/** As many as were served in this time may wait, because then each is served before its login times out. */
const PACE_MS = 2_000

export interface Admission {
  /** Whether one more client may wait for its login. Asked before the rest of its CONNECT is read. */
  hasRoom(address: string): boolean
  /**
   * Looks up credentials, one address after the other.
   * @throws Refusal if that takes too long
   */
  login<T>(address: string, lookUp: () => Promise<T>): Promise<T>
  /** A station has logged in. It counts as unfinished until it has reported. */
  opening(client: Client): void
  /** The station has reported. */
  opened(client: Client): void
}

interface AdmissionParts {
  deadline: Deadlines
  isPreferred(address: string): boolean
  limitMs: number
  nowMs(): number
}

/**
 * Decides how many clients are served at the same time. A server that admits more than it can serve in time loses all
 * of them: they give up, come back, and cost the same work again.
 */
export function createAdmission({ deadline, isPreferred, limitMs, nowMs }: AdmissionParts): Admission {
  const opening = new Map<Client, Deadline>()
  const pace = createPace(PACE_MS, nowMs)
  const logins = createFairQueue(
    { width: MAX_LOGINS_AT_ONCE, perGroup: MAX_LOGINS_PER_ADDRESS, reserved: RESERVED_LOGINS, limitMs },
    {
      deadline,
      isPreferred,
      mayStart: () => opening.size < MAX_OPENING,
      maxWaiting: () => Math.max(MIN_WAITING, pace.recent()),
      late: () => refusal('login took too long', {}, CONNACK.serverUnavailable),
      displaced: busy,
    },
  )

  function opened(client: Client) {
    opening.get(client)?.stop()
    if (opening.delete(client)) logins.startNext()
  }

  return {
    hasRoom: logins.hasRoom,
    async login(address, lookUp) {
      const found = await logins.run(address, lookUp)
      pace.count()
      return found
    },
    opening(client) {
      // A client that never reports must not block others: it stays connected but loses its place.
      opening.set(
        client,
        deadline(limitMs, () => opened(client)),
      )
      client.conn.once('close', () => opened(client))
    },
    opened,
  }
}
