import type { Actor } from '@escale/protocol'
import type { StationRecord } from '../../domain/station.ts'
import { drawSecret, hashSecret, isSecret } from '../../crypto/secrets.ts'
import type { BasePorts } from '../base-ports.ts'
import type { RoomStore } from '../room/index.ts'
import type { StationRepository } from './repository.ts'

/** How long a replaced secret stays valid if the new one is not used earlier. */
const OLD_SECRET_MS = 60_000

export interface CredentialPorts extends BasePorts {
  repository: StationRepository
  bootTokens: { remove(stationId: string): Promise<void> }
  room: RoomStore
  /** Whether other servers serve the same site. */
  hasPeers: boolean
}

/** A station that has shown a valid secret. */
export interface AuthenticatedStation {
  station: Readonly<StationRecord>
  /** When the shown secret becomes invalid; undefined for the newest secret. */
  untilMs?: number
}

export type StationCredentials = ReturnType<typeof createStationCredentials>

/** Creates, replaces, revokes and checks the secrets of stations. */
export function createStationCredentials(ports: CredentialPorts) {
  const { database, repository, bootTokens, room, hasPeers, journal, clock } = ports
  const previousHashOf = (station: StationRecord) =>
    (station.previousSecretUntilMs ?? 0) > clock.nowMs() ? station.previousSecretHash : null

  /** The station of the room with this secret. */
  function opensBy(id: string, secret: string): AuthenticatedStation | undefined {
    const station = room.station(id)?.record
    if (!station) return undefined
    if (isSecret(secret, station.secretHash)) return { station }
    if (!isSecret(secret, previousHashOf(station))) return undefined
    return { station, untilMs: station.previousSecretUntilMs ?? undefined }
  }

  /** Removes the old secret after the first use of the new one. */
  function forgetPrevious({ id, secretHash }: StationRecord): Promise<void> {
    return database.write(async () => {
      if ((await repository.find(id))?.secretHash !== secretHash) return
      await repository.update(id, { previousSecretHash: null, previousSecretUntilMs: null })
    })
  }

  /** Sets a secret that nobody knows. Without a secret, the site key alone would give the station a new one. */
  const replaceByUnknownSecret = (id: string) =>
    repository.update(id, {
      secretHash: hashSecret(drawSecret()),
      previousSecretHash: null,
      previousSecretUntilMs: null,
    })

  return {
    /** Gives a station a new secret. The old one is valid until the new one is used, 60 s at most. Call it inside a write. */
    async renewSecret(id: string): Promise<string> {
      const station = await repository.get(id)
      const secret = drawSecret()
      // If the last new secret was never used, its answer may be lost. Then the station still has the one before.
      const heldHash = previousHashOf(station) ?? station.secretHash
      await repository.update(id, {
        secretHash: hashSecret(secret),
        previousSecretHash: heldHash,
        previousSecretUntilMs: heldHash === null ? null : clock.nowMs() + OLD_SECRET_MS,
      })
      await repository.unmarkRevoked(id)
      return secret
    },

    /** Prevents that the site key alone gives a station its first secret. Call it inside a write. */
    async requireAcceptance(id: string): Promise<void> {
      if ((await repository.find(id))?.secretHash === null) await replaceByUnknownSecret(id)
    },

    /** Revokes a station's secret at once. An admin must accept the station before it gets a new one. */
    revokeSecret(id: string, actor: Actor): Promise<void> {
      return database.write(async () => {
        await repository.get(id)
        await replaceByUnknownSecret(id)
        await repository.markRevoked(id, clock.nowMs())
        await bootTokens.remove(id)
        await journal.append({ action: 'station.secret_revoked', level: 'warning', actor, stationId: id })
      })
    },

    /** Whether the secret was revoked and the station has not been accepted since. */
    isRevoked: repository.isRevoked,

    /** The station with these credentials, from any address; undefined if they are wrong. */
    async authenticate(id: string, secret: string): Promise<AuthenticatedStation | undefined> {
      const known = opensBy(id, secret)
      // Another server may have created the station or its secret just now.
      if (!known && hasPeers) await room.reload([id])
      const opened = known ?? opensBy(id, secret)
      const isFirstUse = opened?.untilMs === undefined && opened?.station.previousSecretHash !== null
      if (opened && isFirstUse) await forgetPrevious(opened.station)
      return opened
    },

    /** Hashes of the valid secrets of each station, read from the database, the newest first. */
    async liveSecrets(ids: string[]): Promise<Map<string, string[]>> {
      await room.reload(ids)
      const stations = ids.flatMap((id) => room.station(id)?.record ?? [])
      return new Map(
        stations.map((station) => [
          station.id,
          [station.secretHash, previousHashOf(station)].filter((hash) => hash !== null),
        ]),
      )
    },
  }
}
