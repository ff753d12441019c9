import { finished } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { EntityId, closed } from '@escale/protocol'
import type { onRequestAsyncHookHandler } from 'fastify'
import { Type } from 'typebox'
import { AppError } from '../../errors.ts'
import { expectedVersionOf, sendVersioned } from '../../http/etag.ts'
import { actorOf } from '../../http/guard.ts'
import { MAX_PHOTO_BYTES } from './limits.ts'
import type { PhotoService } from './service.ts'

const read = { access: 'viewer' } as const
const write = { access: 'operator' } as const
const tags = ['utilisateurs']
const params = Type.Object({ id: EntityId })
/** More would wait in memory for those before them, with up to 6 MB each. */
const MAX_UNDER_WAY = 16
const RETRY_AFTER_SECONDS = 5
const Picture = Type.Unsafe<Buffer>(Type.String({ contentMediaType: 'image/jpeg' }))

/** The body of a photo is the file itself, whatever content type it claims. */
export function photoRoutes(photos: PhotoService): FastifyPluginAsyncTypebox {
  return async (app) => {
    // Not even one that says to be JSON is read as such.
    app.removeAllContentTypeParsers()
    // A little more than is allowed gets through, so that the refusal can say why.
    const limit = { parseAs: 'buffer', bodyLimit: MAX_PHOTO_BYTES + 1024 * 1024 } as const
    app.addContentTypeParser('*', limit, (_request, body, done) => done(null, body))

    app.put(
      '/:id/photo',
      {
        config: write,
        bodyLimit: limit.bodyLimit,
        onRequest: admitSome(MAX_UNDER_WAY),
        schema: {
          tags,
          summary: 'Set the photo: the JPEG or PNG file as the body, 5 MB at most',
          takesVersion: true,
          consumes: ['image/jpeg', 'image/png'],
          errors: ['photo-format', 'photo-too-large', 'photo-too-many-pixels', 'photo-unreadable'],
          params,
          response: { 200: closed({}) },
        },
      },
      async (request) => {
        if (!Buffer.isBuffer(request.body)) throw new AppError('photo-format')
        await photos.set(request.params.id, request.body, actorOf(request), expectedVersionOf(request))
        return {}
      },
    )
    app.get(
      '/:id/photo',
      {
        config: read,
        schema: {
          tags,
          summary: 'The photo',
          sendsVersion: true,
          params,
          response: { 200: { content: { 'image/jpeg': { schema: Picture } } } },
        },
      },
      async (request, reply) => {
        const { photo, version } = await photos.get(request.params.id)
        void reply.type('image/jpeg')
        return sendVersioned(reply, version, photo)
      },
    )
    app.delete(
      '/:id/photo',
      {
        config: write,
        schema: {
          tags,
          summary: 'Remove the photo',
          takesVersion: true,
          params,
          response: { 204: Type.Null() },
        },
      },
      async (request, reply) => {
        await photos.remove(request.params.id, actorOf(request), expectedVersionOf(request))
        return reply.code(204).send(null)
      },
    )
  }
}

/** Lets so many requests of a route be under way at once; asked before a body is read. */
function admitSome(max: number): onRequestAsyncHookHandler {
  let underWay = 0
  return async (_request, reply) => {
    if (underWay >= max)
      throw new AppError('unavailable', { detail: tooMany, retryAfterSeconds: RETRY_AFTER_SECONDS })
    underWay += 1
    finished(reply.raw, () => (underWay -= 1))
  }
}

const tooMany = {
  fr: 'Trop de photos arrivent à la fois. Réessayez dans quelques secondes.',
  en: 'Too many photos are arriving at once. Try again in a few seconds.',
}
