import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { EntityId, ErasureProof, closed, instantOf, type Actor } from '@escale/protocol'
import type { AsyncZippable } from 'fflate'
import { Type } from 'typebox'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { expectedVersionOf } from '../../http/etag.ts'
import type { SeenVersions } from '../../db/versions.ts'
import { actorOf } from '../../http/guard.ts'
import { toLog, type Journal, type LogRepository } from '../logs/index.ts'
import type { PhotoStore } from '../photos/index.ts'
import { toSession } from '../sessions/index.ts'
import { toUser, type UserService } from '../users/index.ts'
import type { PrivacyRepository } from './repository.ts'
import type { Traces } from './traces.ts'

export { createPrivacyRepository } from './repository.ts'
export { createTraces } from './traces.ts'

export interface PrivacyPorts {
  database: Database
  repository: PrivacyRepository
  users: UserService
  logs: Pick<LogRepository, 'ofUser'>
  traces: Traces
  photos: Pick<PhotoStore, 'read'>
  journal: Journal
  clock: Clock
}

/** A person's rights over what is held of them: to have it all, and to have it gone. */
export function createPrivacy(ports: PrivacyPorts) {
  const { database, repository, users, logs, traces, photos, journal, clock } = ports
  return {
    /** Everything held on a person: one JSON file, and the photo, in one archive. */
    async exportOf(id: string, actor: Actor): Promise<Uint8Array> {
      const row = await users.get(id)
      const nowMs = clock.nowMs()
      await database.write(() => journal.append({ action: 'user.exported', actor, userId: id }))
      const about = { exportedAt: instantOf(nowMs), user: toUser(row) }
      const sessions = (await repository.sessionsOf(id)).map((session) => toSession(session, nowMs))
      const records: string[] = []
      for await (const rows of logs.ofUser(id)) records.push(await writtenInParts(rows, toLog))
      const text = [
        JSON.stringify(about, null, 2).replace(/\n}$/, ',\n  "sessions": ['),
        await writtenInParts(sessions, (session) => session),
        '],\n  "logs": [',
        records.filter((part) => part !== '').join(',\n'),
        ']\n}\n',
      ].join('')
      const photo = row.photoName === null ? undefined : await photos.read(row.photoName)
      // Loaded when somebody asks for an archive.
      const { strToU8, zip } = await import('fflate')
      const files: AsyncZippable = {
        'donnees.json': strToU8(text),
        ...(photo ? { 'photo.jpg': [new Uint8Array(photo), { level: 0 }] } : {}),
      }
      // Packed on a thread of its own: a regular visitor leaves megabytes of records.
      return promisify<AsyncZippable, Uint8Array>(zip)(files)
    },

    /** Erases a person, and proves what is left: sessions without a name, and their profile for the statistics. */
    async erase(id: string, actor: Actor, expectedVersion?: SeenVersions): Promise<ErasureProof> {
      const row = await users.get(id)
      const anonymisedSessions = (await repository.sessionsOf(id)).length
      const search = await traces.searchOf(row)
      const isFileClean = await users.remove(id, actor, expectedVersion)
      const photo = row.photoName === null ? undefined : await photos.read(row.photoName)
      const left = { ...(await repository.left(row, search)), photos: photo ? 1 : 0 }
      return { erasedAt: instantOf(clock.nowMs()), anonymisedSessions, isFileClean, left }
    },
  }
}

const ROWS_AT_ONCE = 200

/** The items of a JSON list; others have their turn in between, since a regular visitor leaves thousands. */
async function writtenInParts<R>(rows: readonly R[], toItem: (row: R) => unknown): Promise<string> {
  const parts: string[] = []
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const part = rows.slice(at, at + ROWS_AT_ONCE).map((row) => JSON.stringify(toItem(row), null, 2))
    parts.push(part.join(',\n'))
    await setImmediate()
  }
  return parts.join(',\n')
}

const write = { access: 'operator' } as const
const tags = ['utilisateurs']
const params = Type.Object({ id: EntityId })
const Archive = Type.Unsafe<Buffer>(Type.String({ contentMediaType: 'application/zip' }))

export function privacyRoutes(privacy: ReturnType<typeof createPrivacy>): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/:id/export',
      {
        config: write,
        schema: {
          tags,
          summary: 'Everything held on a user, as an archive',
          params,
          response: { 200: { content: { 'application/zip': { schema: Archive } } } },
        },
      },
      async (request, reply) => {
        const archive = await privacy.exportOf(request.params.id, actorOf(request))
        void reply.header('content-disposition', `attachment; filename="escale-${request.params.id}.zip"`)
        return reply.type('application/zip').send(Buffer.from(archive))
      },
    )
    app.post(
      '/:id/erase',
      {
        config: write,
        schema: {
          tags,
          summary: 'Erase a user; the answer proves what is left',
          takesVersion: true,
          errors: ['session-active'],
          params,
          body: closed({}),
          response: { 200: ErasureProof },
        },
      },
      async (request) => privacy.erase(request.params.id, actorOf(request), expectedVersionOf(request)),
    )
  }
}
