import { restApi, secondsOfMinutes } from '@escale/protocol'
import type { Clock } from '../../clock.ts'
import { filterOf, type Rows } from '../../db/page-window.ts'
import type { SessionRecord } from '../../db/rows.ts'
import type { SessionInput as SessionChange } from '../../domain/session.ts'
import { AppError, unwrap } from '../../errors.ts'
import { serve, type Call } from '../../http/endpoints.ts'
import type { CodeValidation } from './codes.ts'
import type { SessionCredits } from './credits.ts'
import type { SessionGrants } from './grants.ts'
import type { SessionService } from './service.ts'
import { sessionJson, toSession, toSessionTime } from './view.ts'

export interface SessionEndpointPorts {
  sessions: SessionService
  grants: SessionGrants
  credits: SessionCredits
  codes: CodeValidation
  clock: Clock
}

type OneSession = Pick<Call<typeof restApi.sessions.read>, 'params' | 'actor' | 'expectedVersion'>

export function sessionEndpoints({ sessions, grants, credits, codes, clock }: SessionEndpointPorts) {
  const view = (session: SessionRecord) => toSession(session, clock.nowMs())
  const withVersion = (session: SessionRecord) => ({ version: session.version, body: view(session) })

  async function list(rows: Rows<SessionRecord> | Promise<Rows<SessionRecord>>) {
    const { count, rows: page } = await rows
    return { count, rows: page.map(view), jsonOf: sessionJson }
  }

  /** One change of one session. It is tried again if another write came first and the caller named no version. */
  async function change(
    { params, actor, expectedVersion }: OneSession,
    input: SessionChange,
    reason?: string,
  ) {
    const texts = { reason: reason || undefined }
    return withVersion(unwrap(await sessions.change(params.id, input, actor, { expectedVersion, texts })))
  }

  return serve(restApi.sessions, {
    list: ({ query }) => list(sessions.list(filterOf(query), query)),
    listActive: ({ query }) => list(sessions.listRunning(filterOf(query), query)),
    stats: () => sessions.stats(),
    read: async ({ params }) => withVersion(await sessions.find(params.id)),
    create: async ({ body, actor }) => {
      const { session, accessCode } = await grants.create(body, actor)
      return { version: session.version, body: { ...view(session), accessCode } }
    },
    replace: async ({ params, body, actor, expectedVersion }) =>
      withVersion(await grants.replace(params.id, body, actor, expectedVersion)),
    cancel: ({ params, actor, expectedVersion }) => grants.cancel(params.id, actor, expectedVersion),
    validateCode: async ({ body, actor, ip }) => {
      const stationId = actor.type === 'station' ? actor.id : body.stationId
      return unwrap(await codes.validate({ code: body.code, stationId, ip, actor }))
    },
    start: async ({ params, body, actor, expectedVersion }) =>
      withVersion(unwrap(await sessions.start(params.id, body.stationId, actor, expectedVersion))),
    addTime: (call) => change(call, { type: 'addTime', seconds: secondsOfMinutes(call.body.minutes) }),
    terminate: (call) => change(call, { type: 'terminate', reason: 'terminated' }, call.body.reason),
    suspend: (call) => change(call, { type: 'suspend' }),
    resume: (call) => change(call, { type: 'resume' }),
    giveCredit: async ({ params, body, actor, expectedVersion }) =>
      withVersion(unwrap(await credits.give(params.id, body.toSessionId, actor, expectedVersion))),
    timeRemaining: async ({ params, caller }) => {
      const session = await sessions.find(params.id)
      // A station may read only its own session.
      if (caller?.type === 'station' && session.stationId !== caller.id) throw new AppError('not-found')
      return toSessionTime(session, clock.nowMs())
    },
  })
}
