import { restApi } from '@escale/protocol'
import { AppError } from '../../errors.ts'
import { FileAnswer, serve } from '../../http/endpoints.ts'
import type { PhotoService } from './service.ts'

export const photoEndpoints = (photos: PhotoService) =>
  serve(restApi.photos, {
    set: async ({ params, body, actor, expectedVersion }) => {
      if (!Buffer.isBuffer(body)) throw new AppError('photo-format')
      await photos.set(params.id, body, actor, expectedVersion)
      return {}
    },
    read: async ({ params }) => {
      const { photo, version } = await photos.get(params.id)
      return new FileAnswer('image/jpeg', photo, { version })
    },
    remove: ({ params, actor, expectedVersion }) => photos.remove(params.id, actor, expectedVersion),
  })
