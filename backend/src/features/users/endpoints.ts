import { restApi } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import { filterOf, shown } from '../../db/page-window.ts'
import type { UserRow } from '../../db/rows.ts'
import { serve } from '../../http/endpoints.ts'
import { toSession, type SessionGrants, type SessionService } from '../sessions/index.ts'
import type { UserService } from './service.ts'
import { toUser, userJson } from './view.ts'

export interface UserEndpointPorts {
  users: UserService
  sessions: Pick<SessionService, 'list'>
  grants: Pick<SessionGrants, 'canCreate'>
  clock: Clock
}

const withVersion = (row: UserRow) => ({ version: row.version, body: toUser(row) })

export const userEndpoints = ({ users, sessions, grants, clock }: UserEndpointPorts) =>
  serve(restApi.users, {
    list: async ({ query }) => ({ ...shown(await users.list(query), toUser), jsonOf: userJson }),
    create: async ({ body, actor }) => withVersion(await users.create(body, actor)),
    stats: () => users.stats(),
    read: async ({ params }) => withVersion(await users.get(params.id)),
    replace: async ({ params, body, actor, expectedVersion }) =>
      withVersion(await users.replace(params.id, body, actor, expectedVersion)),
    remove: async ({ params, actor, expectedVersion }) => {
      await users.remove(params.id, actor, expectedVersion)
    },
    listSessions: async ({ params, query }) => {
      await users.get(params.id)
      const page = await sessions.list({ ...filterOf(query), userId: params.id }, query)
      const nowMs = clock.nowMs()
      return shown(page, (session) => toSession(session, nowMs))
    },
    canCreateSession: ({ params }) => grants.canCreate(params.id),
    revokeConsent: async ({ params, actor, expectedVersion }) =>
      withVersion(await users.revokeConsent(params.id, actor, expectedVersion)),
  })
