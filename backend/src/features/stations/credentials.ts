import type { Actor } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import type { StationRecord } from '../../domain/station.ts'
import { AppError } from '../../errors.ts'
import { drawSecret, hashSecret, isSecret } from '../../crypto/secrets.ts'
import type { Journal } from '../logs/index.ts'
import type { RoomStore } from '../room/index.ts'
import type { StationRepository } from './repository.ts'

/** How long a replaced secret still opens, until the new one is first used. */
const OLD_SECRET_MS = 60_000

export interface CredentialPorts {
  database: Database
  repository: StationRepository
  room: RoomStore
  /** Whether other servers serve the same site. */
  hasPeers: boolean
  journal: Journal
  clock: Clock
}

/** A station as its credentials show it. */
export interface AuthenticatedStation {
  station: Readonly<StationRecord>
  /** When the secret that was shown opens nothing any more; undefined for the newest one. */
  untilMs?: number
}

export type StationCredentials = ReturnType<typeof createStationCredentials>

/** Secrets of stations: drawn, replaced with a moment of grace, revoked, and held against what is shown. */
export function createStationCredentials(ports: CredentialPorts) {
  const { database, repository, room, hasPeers, journal, clock } = ports
  const previousHashOf = (station: StationRecord) =>
    (station.previousSecretUntilMs ?? 0) > clock.nowMs() ? station.previousSecretHash : null

  /** The station whose secret this is, as the room has it. */
  function opensBy(id: string, secret: string): AuthenticatedStation | undefined {
    const station = room.station(id)?.record
    if (!station) return undefined
    if (isSecret(secret, station.secretHash)) return { station }
    if (!isSecret(secret, previousHashOf(station))) return undefined
    return { station, untilMs: station.previousSecretUntilMs ?? undefined }
  }

  /** Whoever has the new secret needs the old one no longer. */
  function forgetPrevious({ id, secretHash }: StationRecord): Promise<void> {
    return database.write(async () => {
      if ((await repository.find(id))?.secretHash !== secretHash) return
      await repository.update(id, { previousSecretHash: null, previousSecretUntilMs: null })
    })
  }

  /** A secret that nobody has: without any, the site key would give the next one unasked. */
  const replaceByNobodys = (id: string) =>
    repository.update(id, {
      secretHash: hashSecret(drawSecret()),
      previousSecretHash: null,
      previousSecretUntilMs: null,
    })

  return {
    /** Gives a station a new secret; the old one holds until the new one is used, 60 s at most. Call inside a write. */
    async renewSecret(id: string): Promise<string> {
      const station = await repository.find(id)
      if (!station) throw new AppError('not-found')
      const secret = drawSecret()
      // While the last new one has opened nothing, its answer may be lost, and the station has the one before.
      const heldHash = previousHashOf(station) ?? station.secretHash
      await repository.update(id, {
        secretHash: hashSecret(secret),
        previousSecretHash: heldHash,
        previousSecretUntilMs: heldHash === null ? null : clock.nowMs() + OLD_SECRET_MS,
      })
      await repository.unmarkRevoked(id)
      return secret
    },

    /** Keeps the site key from giving a station its first secret unasked. Call inside a write. */
    async requireAcceptance(id: string): Promise<void> {
      if ((await repository.find(id))?.secretHash === null) await replaceByNobodys(id)
    },

    /** Takes a station's secret away at once: it must be accepted again before it has another. */
    revokeSecret(id: string, actor: Actor): Promise<void> {
      return database.write(async () => {
        if (!(await repository.find(id))) throw new AppError('not-found')
        await replaceByNobodys(id)
        await repository.markRevoked(id, clock.nowMs())
        await repository.removeBootToken(id)
        await journal.append({ action: 'station.secret_revoked', level: 'warning', actor, stationId: id })
      })
    },

    /** Whether an admin took its secret away, and nobody has accepted it since. */
    isRevoked: (id: string): Promise<boolean> => repository.isRevoked(id),

    /** The station behind credentials, wherever it calls from; undefined when they are wrong. */
    async authenticate(id: string, secret: string): Promise<AuthenticatedStation | undefined> {
      const known = opensBy(id, secret)
      // Another server may have made the station, or drawn its secret, just now.
      if (!known && hasPeers) await room.reload([id])
      const opened = known ?? opensBy(id, secret)
      const isFirstUse = opened?.untilMs === undefined && opened?.station.previousSecretHash !== null
      if (opened && isFirstUse) await forgetPrevious(opened.station)
      return opened
    },

    /** Hashes of the secrets that open each station now, by the database, the newest first. */
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
