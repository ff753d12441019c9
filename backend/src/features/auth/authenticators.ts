import type { AccessClaims } from '@escale/protocol'
import type { AccountRow, StationRow } from '../../db/rows.ts'

type KnownStation = Pick<StationRow, 'label' | 'ipAddress'>
type KnownAccount = Pick<AccountRow, 'kind' | 'label' | 'role'>

/** Who each kind of credentials belongs to; undefined where they are not valid. */
export interface Authenticators {
  auth: { authenticate(accessToken: string): Promise<AccessClaims | undefined> }
  stations: {
    authenticate(id: string, secret: string): Promise<{ station: KnownStation; untilMs?: number } | undefined>
  }
  accounts: { authenticate(id: string, secret: string): Promise<KnownAccount | undefined> }
}
