import type { Actor } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError, unwrap } from '../../errors.ts'
import type { Journal } from '../logs/index.ts'
import type { UserRepository } from '../users/index.ts'
import { redrawPhoto } from './image.ts'
import type { PhotoStore } from './store.ts'

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

  /** Points a user to another photo, or none; @returns the name of the one before */
  function point(userId: string, photoName: string | null, actor: Actor): Promise<string | null> {
    return database.write(async () => {
      const user = await users.find(userId)
      if (!user) throw new AppError('not-found')
      if (user.photoName === photoName) return null
      await users.update({ ...user, photoName, version: user.version + 1, updatedAtMs: clock.nowMs() })
      const details = { hasPhoto: photoName !== null }
      await journal.append({ action: 'user.photo_changed', actor, userId, details })
      return user.photoName
    })
  }

  return {
    /** @throws AppError with the reason why a picture is refused; nothing of it is kept then */
    async set(userId: string, bytes: Buffer, actor: Actor): Promise<void> {
      if (!(await users.find(userId))) throw new AppError('not-found')
      const name = await store.save(unwrap(await redrawPhoto(bytes)))
      let before: string | null
      try {
        before = await point(userId, name, actor)
      } catch (err) {
        await store.remove(name)
        throw err
      }
      if (before !== null) await store.remove(before)
    },

    async get(userId: string): Promise<Buffer> {
      const name = (await users.find(userId))?.photoName
      const photo = name ? await store.read(name) : undefined
      if (!photo) throw new AppError('not-found')
      return photo
    },

    async remove(userId: string, actor: Actor): Promise<void> {
      const before = await point(userId, null, actor)
      if (before !== null) await store.remove(before)
    },

    /** Removes files that nobody points to, as a crash between two steps may leave; done before anything listens. */
    async sweep(): Promise<void> {
      const known = new Set(await users.photoNames())
      for (const name of await store.names()) if (!known.has(name)) await store.remove(name)
    },
  }
}
