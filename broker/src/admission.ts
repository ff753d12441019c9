import type { Client } from 'aedes'
import type { Deadline, Deadlines } from './deadlines.ts'
import { createFairQueue } from './fair-queue.ts'
import { createPace } from './pace.ts'
import { busy, CONNACK, refusal } from './refusal.ts'

/** Credentials that are looked up at the same time. */
export const MAX_LOGINS_AT_ONCE = 32
/** Of these, how many of one address; the addresses take turns. */
export const MAX_LOGINS_PER_ADDRESS = 16
/** Of these, how many are for addresses that logged in lately. */
const RESERVED_LOGINS = 8
/** Stations that are logged in and have not reported yet: what they still need is done before more are let in. */
const MAX_OPENING = 128
/** Clients that may always wait for their login, so that a small room is never sent away. */
export const MIN_WAITING = 256
/** More may wait if the last so many milliseconds served as many: whoever waits is served before the login's limit. */
const PACE_MS = 2_000

export interface Admission {
  /** Whether one more client may wait for its login; asked before its CONNECT is read any further. */
  hasRoom(address: string): boolean
  /** Looks up credentials in turn. @throws Refusal when that takes too long */
  login<T>(address: string, lookUp: () => Promise<T>): Promise<T>
  /** A station is logged in: until it has reported, it counts as work that is begun. */
  opening(client: Client): void
  /** It has reported. */
  opened(client: Client): void
}

interface AdmissionParts {
  deadline: Deadlines
  isPreferred(address: string): boolean
  limitMs: number
  nowMs(): number
}

/**
 * Decides how many clients are served at the same time. A server that begins with more than it can finish in time
 * loses all of them: they give up, come back, and cost it the same again.
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
      // A client that never reports must not keep others out: it keeps its connection, and gives up its place.
      opening.set(
        client,
        deadline(limitMs, () => opened(client)),
      )
      client.conn.once('close', () => opened(client))
    },
    opened,
  }
}
