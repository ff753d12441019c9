import { MINUTE_MS, type Actor } from '@escale/protocol'
import { AppError, unwrap } from '../../errors.ts'
import type { Clock } from '../../clock.ts'
import type { SeenVersions } from '../../db/versions.ts'
import type { UserService } from '../users/index.ts'
import { createRedraw } from './image.ts'
import type { PhotoStore } from './store.ts'

/** A file without a user is removed after this time. */
const HELD_MS = 60 * MINUTE_MS

export interface PhotoPorts {
  users: Pick<UserService, 'get' | 'setPhoto' | 'photoNames'>
  store: PhotoStore
  clock: Clock
}

export type PhotoService = ReturnType<typeof createPhotoService>

/** The photo of a user: one file at most. The user's row is changed before the old file is removed. */
export function createPhotoService({ users, store, clock }: PhotoPorts) {
  const redraw = createRedraw()

  return {
    /** @throws AppError with the reason if the picture is refused; it is then not stored */
    async set(userId: string, bytes: Buffer, actor: Actor, expectedVersion?: SeenVersions): Promise<void> {
      await users.get(userId)
      const name = await store.save(unwrap(await redraw(bytes)))
      const before = await users
        .setPhoto(userId, name, actor, expectedVersion)
        .catch(async (err: unknown) => {
          await store.remove(name)
          throw err
        })
      if (before !== null) await store.remove(before)
    },

    /** The picture, and the version of its user. */
    async get(userId: string): Promise<{ photo: Buffer; version: number }> {
      const user = await users.get(userId)
      const photo = user.photoName === null ? undefined : await store.read(user.photoName)
      if (!photo) throw new AppError('not-found')
      return { photo, version: user.version }
    },

    async remove(userId: string, actor: Actor, expectedVersion?: SeenVersions): Promise<void> {
      const before = await users.setPhoto(userId, null, actor, expectedVersion)
      if (before !== null) await store.remove(before)
    },

    /**
     * Removes files without a user, which a crash can leave. Call it before the listeners open. Files of the last hour
     * stay, because another server may be about to store their name in a user's row.
     */
    async sweep(): Promise<void> {
      const names = await store.namesBefore(clock.nowMs() - HELD_MS)
      const known = new Set(await users.photoNames())
      for (const name of names) if (!known.has(name)) await store.remove(name)
    },
  }
}
