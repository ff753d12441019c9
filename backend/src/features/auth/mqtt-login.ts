import { OPERATOR_USERNAME, type Credentials, type Principal } from '@escale/broker'
import { SECOND_MS } from '@escale/protocol'
import type { GuardPorts } from './guard.ts'

/** Who connects to the broker: an operator's browser with its access token, or a station with its secret. */
export function createMqttLogin({ auth, authenticateStation }: GuardPorts) {
  return async ({ username, password, clientId }: Credentials): Promise<Principal | undefined> => {
    if (username === OPERATOR_USERNAME) {
      const claims = await auth.authenticate(password)
      if (!claims) return undefined
      const { sub: id, username: label, exp } = claims
      return { kind: 'operator', id, party: clientId, label, expiresAtMs: exp * SECOND_MS }
    }
    const station = await authenticateStation(username, password)
    return station && { kind: 'station', id: username, party: username, label: station.label }
  }
}
