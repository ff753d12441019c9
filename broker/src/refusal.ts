/** Why the broker closes a connection or refuses it; `details` go to the log and hold no secret. */
export interface Refusal extends Error {
  details: Record<string, unknown>
  /** CONNACK return code, for a refused login (MQTT 3.1.1 section 3.2.2.3). */
  returnCode?: number
  /** It has nothing to do with the client: the log tells it once for all of them. */
  isForAll?: true
}

export function refusal(reason: string, details: Record<string, unknown> = {}, returnCode?: number): Refusal {
  return Object.assign(new Error(reason), { details, returnCode })
}

/** The server has as many clients as it can begin with now: this one is to come back later. */
export function busy(): Refusal {
  const refused = refusal('too many clients connect at once', {}, CONNACK.serverUnavailable)
  return Object.assign(refused, { isForAll: true } as const)
}

export function isRefusal(err: Error): err is Refusal {
  return 'details' in err
}

/** CONNACK return codes of MQTT 3.1.1. */
export const CONNACK = {
  unacceptableProtocol: 1,
  identifierRejected: 2,
  serverUnavailable: 3,
  badCredentials: 4,
  notAuthorized: 5,
} as const
