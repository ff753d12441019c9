import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Access, AccessClaims, Actor, Guest, OperatorRole } from '@escale/protocol'
import type { AccountRow, StationRow } from '../db/rows.ts'
import { AppError } from '../errors.ts'

/** The caller: an operator, an account or a station. */
export type Caller =
  | { type: 'operator'; id: string; label: string; role: OperatorRole; signInId: string | undefined }
  /** An account without a role may only issue boot tokens. */
  | { type: 'account'; id: string; label: string; role: OperatorRole | undefined }
  | { type: 'station'; id: string; label: string }

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** Other callers that are allowed, with their own credentials. */
    guests?: readonly Guest[]
    /** Programs on this machine may call it without a token. */
    isOpenToLoopback?: boolean
  }
  interface FastifyRequest {
    caller: Caller | undefined
  }
}

const rank: Record<OperatorRole, number> = { viewer: 1, operator: 2, admin: 3 }

export interface GuardPorts {
  auth: { authenticate(accessToken: string): Promise<AccessClaims | undefined> }
  stations: {
    authenticate(
      id: string,
      secret: string,
    ): Promise<{ station: Pick<StationRow, 'label' | 'ipAddress'>; untilMs?: number } | undefined>
  }
  accounts: {
    authenticate(id: string, secret: string): Promise<Pick<AccountRow, 'kind' | 'label' | 'role'> | undefined>
  }
}

/**
 * Denies by default: a route of the API without `config.access` cannot be registered. Only files are public, such as
 * the page that documents the API.
 */
export function registerGuard(app: FastifyInstance, { auth, stations, accounts }: GuardPorts): void {
  app.decorateRequest('caller', undefined)
  app.addHook('onRoute', (route) => {
    if (route.config?.access) return
    if (/^\/(api(?!\/docs(\/|$))|ws|mqtt)\b/.test(route.url))
      throw new Error(`${route.url}: config.access is missing`)
    route.config = { ...route.config, access: 'public' }
  })
  app.addHook('onRequest', async (request) => {
    const { config } = request.routeOptions
    const { access } = config
    if (access === undefined || (config.isOpenToLoopback && request.isFromThisMachine)) return
    if (access === 'public') {
      if (config.guests?.includes('stations')) request.caller = await callerOf(request)
      return
    }
    const caller = await callerOf(request)
    if (!caller) throw new AppError('unauthenticated')
    if (!mayCall(caller, access, config.guests ?? [])) throw new AppError('forbidden')
    request.caller = caller
  })

  async function callerOf({ headers, ip }: FastifyRequest): Promise<Caller | undefined> {
    const [scheme = '', credentials = ''] = (headers.authorization ?? '').split(' ')
    if (scheme.toLowerCase() === 'bearer') {
      const claims = await auth.authenticate(credentials)
      if (!claims) return undefined
      const { sub: id, username: label, role, sid: signInId } = claims
      return { type: 'operator', id, label, role, signInId }
    }
    if (scheme.toLowerCase() === 'basic') {
      const [, id = '', secret = ''] =
        /^([a-z0-9-]{1,32}):(.*)$/s.exec(Buffer.from(credentials, 'base64').toString()) ?? []
      const station = (await stations.authenticate(id, secret))?.station
      if (!station) return accountOf(id, secret)
      if (station.ipAddress !== null && station.ipAddress !== ip) throw new AppError('wrong-address')
      return { type: 'station', id, label: station.label }
    }
    return undefined
  }

  async function accountOf(id: string, secret: string): Promise<Caller | undefined> {
    const account = await accounts.authenticate(id, secret)
    if (!account || account.kind === 'diagnostics') return undefined
    return { type: 'account', id, label: account.label, role: account.role ?? undefined }
  }
}

function mayCall(caller: Caller, access: OperatorRole, guests: readonly Guest[]): boolean {
  if (caller.type === 'station') return guests.includes('stations')
  if (caller.role === undefined) return guests.includes('netboot')
  return caller.type === 'operator' && rank[caller.role] >= rank[access]
}

/** The caller as actor for the journal. @throws AppError `unauthenticated` without a caller */
export function actorOf({ caller }: FastifyRequest): Actor {
  if (!caller) throw new AppError('unauthenticated')
  return { type: caller.type, id: caller.id, label: caller.label }
}
