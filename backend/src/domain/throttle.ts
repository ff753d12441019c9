import { MINUTE_MS, SECOND_MS, addressGroupOf, type ThrottleKind } from '@escale/protocol'

/** Failures counted against one key (a station, an address, an account); instants in Unix milliseconds. */
export interface ThrottleState {
  /** Failures in the current window. */
  failures: number
  windowStartMs: number
  /** How often the block has doubled; 0 while nothing is blocked. */
  level: number
  blockedUntilMs: number
}

/**
 * What a counter counts for. All addresses of an IPv6 network count as one, because one machine can use them all.
 * People sometimes type their password as username, so a username is stored only as a keyed hash.
 */
export type ThrottleSubject =
  | { kind: 'station-code'; stationId: string }
  | { kind: 'address-code' | 'address-enrolment' | 'address-login'; ip: string }
  | { kind: 'account-login'; usernameHash: string }
  | { kind: 'account-address-login'; ip: string; usernameHash: string }

export interface ThrottleRules {
  /** Failures in one window that do not block yet. */
  freeFailures: number
  windowMs: number
  firstBlockMs: number
  maxBlockMs: number
}

/** Wrong access codes at one station: each block is longer than the one before. */
export const stationCodeRules: ThrottleRules = {
  freeFailures: 5,
  windowMs: 5 * MINUTE_MS,
  firstBlockMs: 30 * SECOND_MS,
  maxBlockMs: 15 * MINUTE_MS,
}
/** Many people may share an address. */
const addressCodeRules = { ...stationCodeRules, freeFailures: 30 }
/** Wrong passwords for one account from one address. */
const accountAddressRules = { ...stationCodeRules, windowMs: 15 * MINUTE_MS }

/** How each kind of counter counts. */
export const throttleRules: Record<ThrottleKind, ThrottleRules> = {
  'station-code': stationCodeRules,
  'address-code': addressCodeRules,
  'address-enrolment': addressCodeRules,
  // Counts all addresses, so it only delays. With a longer block, anybody could lock the operator out.
  'account-login': { ...accountAddressRules, firstBlockMs: SECOND_MS, maxBlockMs: 30 * SECOND_MS },
  'account-address-login': accountAddressRules,
  'address-login': { ...accountAddressRules, freeFailures: 10 },
}

const prefixes: Record<ThrottleKind, string> = {
  'station-code': 'code:',
  'address-code': 'code@',
  'address-enrolment': 'enrol@',
  'account-login': 'login:',
  'account-address-login': 'login@',
  'address-login': 'logins@',
}

/** How the keys of counters of a kind begin. */
export const throttlePrefixOf = (kind: ThrottleKind): string => prefixes[kind]

/** The key of a counter in the database. */
export function throttleKeyOf(subject: ThrottleSubject): string {
  const prefix = prefixes[subject.kind]
  switch (subject.kind) {
    case 'station-code':
      return prefix + subject.stationId
    case 'account-login':
      return prefix + subject.usernameHash
    case 'account-address-login':
      return `${prefix}${addressGroupOf(subject.ip)} ${subject.usernameHash}`
    default:
      return prefix + addressGroupOf(subject.ip)
  }
}

/** The subject of a counter's key; undefined for a key that `throttleKeyOf` does not make. */
export function throttleSubjectOf(key: string): ThrottleSubject | undefined {
  const kind = (Object.keys(prefixes) as ThrottleKind[]).find((name) => key.startsWith(prefixes[name]))
  if (kind === undefined) return undefined
  const name = key.slice(prefixes[kind].length)
  switch (kind) {
    case 'station-code':
      return { kind, stationId: name }
    case 'account-login':
      return { kind, usernameHash: name }
    case 'account-address-login': {
      const space = name.indexOf(' ')
      return space < 0 ? undefined : { kind, ip: name.slice(0, space), usernameHash: name.slice(space + 1) }
    }
    default:
      return { kind, ip: name }
  }
}

export const idleThrottle: ThrottleState = { failures: 0, windowStartMs: 0, level: 0, blockedUntilMs: 0 }

/** Seconds to wait before the next attempt, rounded up; 0 if it is allowed now. */
export function waitSecondsAt(
  { blockedUntilMs }: Pick<ThrottleState, 'blockedUntilMs'>,
  nowMs: number,
): number {
  return Math.max(0, Math.ceil((blockedUntilMs - nowMs) / SECOND_MS))
}

/**
 * Counts one failure. When the free failures of the window are used up, each further failure blocks, twice as long as
 * the one before. After a window without failures, counting starts again from zero.
 */
export function countFailure(state: ThrottleState, nowMs: number, rules: ThrottleRules): ThrottleState {
  const isFresh = nowMs >= Math.max(state.windowStartMs, state.blockedUntilMs) + rules.windowMs
  const base = isFresh ? { ...idleThrottle, windowStartMs: nowMs } : state
  const failures = base.failures + 1
  if (failures < rules.freeFailures) return { ...base, failures }
  const blockMs = Math.min(rules.maxBlockMs, rules.firstBlockMs * 2 ** base.level)
  return { ...base, failures, level: base.level + 1, blockedUntilMs: nowMs + blockMs }
}
