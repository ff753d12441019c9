import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { instantOf, type Actor, type ErasureProof } from '@escale/protocol'
import type { AsyncZippable } from 'fflate'
import type { SeenVersions } from '../../db/versions.ts'
import type { BasePorts } from '../base-ports.ts'
import { toLog, type Records } from '../logs/index.ts'
import type { PhotoStore } from '../photos/index.ts'
import { toSession, type PastSessions } from '../sessions/index.ts'
import { toUser, type UserService } from '../users/index.ts'
import type { Traces } from './traces.ts'

export interface PrivacyServicePorts extends BasePorts {
  sessions: Pick<PastSessions, 'ofUser'>
  users: Pick<UserService, 'get' | 'remove'>
  logs: Pick<Records, 'ofUser'>
  traces: Traces
  photos: Pick<PhotoStore, 'read'>
}

export type PrivacyService = ReturnType<typeof createPrivacyService>

/** A person's rights over their data: to receive it and to have it erased. */
export function createPrivacyService(ports: PrivacyServicePorts) {
  const { database, sessions, users, logs, traces, photos, journal, clock } = ports
  return {
    /** All data about a person as an archive: a JSON file and the photo. */
    async exportOf(id: string, actor: Actor): Promise<Uint8Array> {
      const row = await users.get(id)
      const nowMs = clock.nowMs()
      await database.write(() => journal.append({ action: 'user.exported', actor, userId: id }))
      const about = { exportedAt: instantOf(nowMs), user: toUser(row) }
      const theirs = (await sessions.ofUser(id)).map((session) => toSession(session, nowMs))
      const records: string[] = []
      for await (const rows of logs.ofUser(id)) records.push(await writtenInParts(rows, toLog))
      const text = [
        JSON.stringify(about, null, 2).replace(/\n}$/, ',\n  "sessions": ['),
        await writtenInParts(theirs, (session) => session),
        '],\n  "logs": [',
        records.filter((part) => part !== '').join(',\n'),
        ']\n}\n',
      ].join('')
      const photo = row.photoName === null ? undefined : await photos.read(row.photoName)
      // Loaded on demand, because it is seldom needed.
      const { strToU8, zip } = await import('fflate')
      const files: AsyncZippable = {
        'donnees.json': strToU8(text),
        ...(photo ? { 'photo.jpg': [new Uint8Array(photo), { level: 0 }] } : {}),
      }
      // Compressed in a worker thread, because a regular visitor has megabytes of records.
      return promisify<AsyncZippable, Uint8Array>(zip)(files)
    },

    /** Erases a person and counts what is left. Sessions stay without a name, with their profile for the statistics. */
    async erase(id: string, actor: Actor, expectedVersion?: SeenVersions): Promise<ErasureProof> {
      const row = await users.get(id)
      const anonymisedSessions = (await sessions.ofUser(id)).length
      const search = await traces.searchOf(row)
      const isFileClean = await users.remove(id, actor, expectedVersion)
      const photo = row.photoName === null ? undefined : await photos.read(row.photoName)
      const left = { ...(await traces.left(row, search)), photos: photo ? 1 : 0 }
      return { erasedAt: instantOf(clock.nowMs()), anonymisedSessions, isFileClean, left }
    },
  }
}

const ROWS_AT_ONCE = 200

/** The items of a JSON list. Yields to other work in between, because a regular visitor has thousands of records. */
async function writtenInParts<R>(rows: readonly R[], toItem: (row: R) => unknown): Promise<string> {
  const parts: string[] = []
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    const part = rows.slice(at, at + ROWS_AT_ONCE).map((row) => JSON.stringify(toItem(row), null, 2))
    parts.push(part.join(',\n'))
    await setImmediate()
  }
  return parts.join(',\n')
}
