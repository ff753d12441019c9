import { OPERATOR_USERNAME, type Credentials, type Principal } from '@escale/broker'
import { SECOND_MS } from '@escale/protocol'
import { hashSecret } from '../../crypto/secrets.ts'
import type { Authenticators } from './authenticators.ts'

/** Finds who connects to the broker: an operator's browser by its access token, or a machine by its secret. */
export function createMqttLogin({ auth, stations, accounts }: Authenticators) {
  return async ({ username, password, clientId }: Credentials): Promise<Principal | undefined> => {
    if (username === OPERATOR_USERNAME) {
      const claims = await auth.authenticate(password)
      if (!claims) return undefined
      const { sub: id, username: label, exp, sid: signInId } = claims
      return { kind: 'operator', id, party: clientId, label, expiresAtMs: exp * SECOND_MS, signInId }
    }
    const secretHash = hashSecret(password)
    const known = await stations.authenticate(username, password)
    if (known) {
      const { station, untilMs: expiresAtMs } = known
      return { kind: 'station', id: username, party: username, label: station.label, expiresAtMs, secretHash }
    }
    const account = await accounts.authenticate(username, password)
    // A netboot account only draws boot tokens, over REST.
    if (!account || account.kind === 'netboot') return undefined
    return { kind: account.kind, id: username, party: clientId, label: account.label, secretHash }
  }
}
