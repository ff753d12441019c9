/** Why the broker closes or refuses a connection. `details` are logged and contain no secret. */
export interface Refusal extends Error {
  details: Record<string, unknown>
  /** CONNACK return code, for a refused login (MQTT 3.1.1 section 3.2.2.3). */
  returnCode?: number
  /** The reason does not depend on the client, so it is logged once for all of them. */
  isForAll?: true
}

export function refusal(reason: string, details: Record<string, unknown> = {}, returnCode?: number): Refusal {
  return Object.assign(new Error(reason), { details, returnCode })
}

/** The server is starting as many clients as it can: this one must come back later. */
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
