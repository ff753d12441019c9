import { instantOf, type Actor, type EnrolmentKey } from '@escale/protocol'
import { drawSecret, hashSecret, isSecret } from '../../crypto/secrets.ts'
import type { Sealer } from '../../crypto/sealing.ts'
import type { BasePorts } from '../base-ports.ts'
import { systemActor } from '../logs/index.ts'
import type { SiteKeyRepository } from './repository.ts'

export interface SiteKeyPorts extends BasePorts {
  repository: SiteKeyRepository
  sealer: Sealer
  /** Valid until an admin rotates the key. */
  firstSiteKey: string
  /** Writes a copy for the server's administrator. */
  keepSiteKey(key: string): void
}

export type SiteKey = ReturnType<typeof createSiteKey>

/** The key by which unknown stations enrol. All servers of a database share it. */
export function createSiteKey(ports: SiteKeyPorts) {
  const { database, repository, sealer, journal, clock, firstSiteKey, keepSiteKey } = ports
  async function save(key: string): Promise<EnrolmentKey> {
    const rotatedAtMs = clock.nowMs()
    await repository.save({ id: 1, keyHash: hashSecret(key), sealedKey: sealer.seal(key), rotatedAtMs })
    return { enrolmentKey: key, rotatedAt: instantOf(rotatedAtMs) }
  }

  function rotate(actor: Actor): Promise<EnrolmentKey> {
    return database.write(async () => {
      const shown = await save(drawSecret())
      await journal.append({ action: 'site_key.rotated', actor })
      database.afterCommit(() => keepSiteKey(shown.enrolmentKey))
      return shown
    })
  }

  async function find(): Promise<EnrolmentKey | undefined> {
    const row = await repository.find()
    if (!row) return undefined
    const enrolmentKey = sealer.open(row.sealedKey)
    return enrolmentKey === undefined ? undefined : { enrolmentKey, rotatedAt: instantOf(row.rotatedAtMs) }
  }

  /** The current key. A new key is created if the stored one cannot be decrypted, because the data folder was lost. */
  const current = async () => (await find()) ?? rotate(systemActor)

  return {
    current,
    rotate,

    /** Saves the first key if there is none, and writes a copy of the current key. */
    async start(): Promise<void> {
      await database.write(async () => {
        if (!(await repository.find())) await save(firstSiteKey)
      })
      keepSiteKey((await current()).enrolmentKey)
    },

    /** Reads the database each time: another server may have replaced the key. */
    async isRight(key: string): Promise<boolean> {
      return isSecret(key, (await repository.find())?.keyHash)
    },
  }
}
