import type { Actor } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError, unwrap } from '../../errors.ts'
import { requireVersion, type SeenVersions } from '../../db/versions.ts'
import type { Journal } from '../logs/index.ts'
import type { UserRepository } from '../users/index.ts'
import { createRedraw } from './image.ts'
import type { PhotoStore } from './store.ts'

const HOUR_MS = 3_600_000

export type PhotoService = ReturnType<typeof createPhotoService>

/** The photo of a user: one file at most, known to the database before the one before it goes. */
export function createPhotoService(ports: {
  database: Database
  users: Pick<UserRepository, 'find' | 'update' | 'photoNames'>
  store: PhotoStore
  journal: Journal
  clock: Clock
}) {
  const { database, users, store, journal, clock } = ports
  const redraw = createRedraw()

  /** Points a user to another photo, or none; @returns the name of the one before */
  function point(
    userId: string,
    photoName: string | null,
    actor: Actor,
    expectedVersion: SeenVersions | undefined,
  ): Promise<string | null> {
    return database.write(async () => {
      const user = await users.find(userId)
      if (!user) throw new AppError('not-found')
      requireVersion(user, expectedVersion)
      if (user.photoName === photoName) return null
      await users.update({ ...user, photoName, version: user.version + 1, updatedAtMs: clock.nowMs() })
      const details = { hasPhoto: photoName !== null }
      await journal.append({ action: 'user.photo_changed', actor, userId, details })
      return user.photoName
    })
  }

  return {
    /** @throws AppError with the reason why a picture is refused; nothing of it is kept then */
    async set(userId: string, bytes: Buffer, actor: Actor, expectedVersion?: SeenVersions): Promise<void> {
      if (!(await users.find(userId))) throw new AppError('not-found')
      const name = await store.save(unwrap(await redraw(bytes)))
      let before: string | null
      try {
        before = await point(userId, name, actor, expectedVersion)
      } catch (err) {
        await store.remove(name)
        throw err
      }
      if (before !== null) await store.remove(before)
    },

    /** The picture, and the version of the user that it is part of. */
    async get(userId: string): Promise<{ photo: Buffer; version: number }> {
      const user = await users.find(userId)
      const photo = user?.photoName ? await store.read(user.photoName) : undefined
      if (!user || !photo) throw new AppError('not-found')
      return { photo, version: user.version }
    },

    async remove(userId: string, actor: Actor, expectedVersion?: SeenVersions): Promise<void> {
      const before = await point(userId, null, actor, expectedVersion)
      if (before !== null) await store.remove(before)
    },

    /**
     * Removes files that nobody points to, as a crash between two steps may leave; done before anything listens.
     * A young one may be another server's, about to be pointed to.
     */
    async sweep(): Promise<void> {
      const names = await store.namesBefore(clock.nowMs() - HOUR_MS)
      const known = new Set(await users.photoNames())
      for (const name of names) if (!known.has(name)) await store.remove(name)
    },
  }
}
