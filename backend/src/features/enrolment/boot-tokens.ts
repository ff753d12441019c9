import { MINUTE_MS, instantOf, type Actor, type BootToken } from '@escale/protocol'
import { AppError } from '../../errors.ts'
import { drawSecret, hashSecret } from '../../crypto/secrets.ts'
import type { BasePorts } from '../base-ports.ts'
import type { StationCredentials, StationService } from '../stations/index.ts'
import type { BootTokenRepository } from './repository.ts'

const TOKEN_MS = 10 * MINUTE_MS

export interface BootTokenPorts extends BasePorts {
  repository: BootTokenRepository
  stations: Pick<StationService, 'get' | 'isOnline'>
  credentials: Pick<StationCredentials, 'isRevoked'>
}

export type BootTokens = ReturnType<typeof createBootTokens>

/**
 * Boot tokens: a diskless station enrols with the token in its boot script. Everybody at the station can read it. So it
 * works only once, within ten minutes, and for the station's MAC address. No token is issued while the station is
 * online or after its secret was revoked.
 */
export function createBootTokens(ports: BootTokenPorts) {
  const { database, repository, stations, credentials, journal, clock } = ports
  return {
    /** The station's token, if any, no longer works. Call it inside a write. */
    remove: repository.remove,

    /**
     * The station's earlier token, if any, no longer works.
     * @throws AppError `station-online`, `station-revoked`, `mac-address-missing`
     */
    issue(stationId: string, actor: Actor): Promise<BootToken> {
      return database.write(async () => {
        const { macAddress } = await stations.get(stationId)
        if (macAddress === null) throw new AppError('mac-address-missing')
        if (await credentials.isRevoked(stationId)) throw new AppError('station-revoked')
        if (stations.isOnline(stationId)) throw new AppError('station-online')
        const bootToken = drawSecret()
        const expiresAtMs = clock.nowMs() + TOKEN_MS
        await repository.save({ stationId, tokenHash: hashSecret(bootToken), macAddress, expiresAtMs })
        await journal.append({ action: 'station.boot_token_issued', actor, stationId })
        return { stationId, macAddress, bootToken, expiresAt: instantOf(expiresAtMs) }
      })
    },

    /** Uses a token. @returns its station, or undefined if the token is not valid for this MAC. Call it inside a write. */
    async redeem(token: string, macAddress: string): Promise<string | undefined> {
      const row = await repository.findByHash(hashSecret(token))
      if (!row || row.expiresAtMs <= clock.nowMs() || row.macAddress !== macAddress) return undefined
      const station = await stations.get(row.stationId)
      if (station.macAddress !== macAddress || stations.isOnline(row.stationId)) return undefined
      if (await credentials.isRevoked(row.stationId)) return undefined
      await repository.remove(row.stationId)
      return row.stationId
    },
  }
}
