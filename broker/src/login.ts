import type { AedesOptions, AuthenticateError, Client, ConnectPacket } from 'aedes'
import { addressGroupOf, mayPublish } from '@escale/protocol'
import { createAddressHistory } from './address-history.ts'
import { createAdmission } from './admission.ts'
import { createDuplicateFilter } from './duplicates.ts'
import type { Connections } from './connections.ts'
import type { Deadlines } from './deadlines.ts'
import type { BrokerPorts, Origin, Principal } from './ports.ts'
import { CONNACK, isRefusal, refusal } from './refusal.ts'

/** The username under which operators connect, with their access token as the password. */
export const OPERATOR_USERNAME = 'operator'
/** Maximum number of client ids with a suffix beside the one without. */
export const MAX_SUFFIXES_PER_OWNER = 4

const USERNAME = /^[a-z0-9-]{1,32}$/
const SUFFIX = /^[a-z0-9-]{1,32}$/

interface LoginParts {
  ports: Pick<BrokerPorts, 'authenticate' | 'nowMs'>
  connections: Connections
  originOf: (client: Client) => Origin
  deadline: Deadlines
  loginTimeoutMs: number
}

export interface Login {
  preConnect: NonNullable<AedesOptions['preConnect']>
  authenticate: NonNullable<AedesOptions['authenticate']>
  /** Whether one more client of this address may wait for its login. */
  hasRoom(address: string): boolean
  /** Call it when a station's first report was processed: its connection is complete. */
  opened(client: Client): void
}

/** Decides who may connect, in the hooks of Aedes around CONNECT. */
export function createLogin(parts: LoginParts): Login {
  const { ports, connections, originOf, deadline, loginTimeoutMs } = parts
  // `authenticate` gets neither the will nor the original client id.
  const connects = new WeakMap<Client, ConnectPacket>()
  const addresses = createAddressHistory(() => ports.nowMs())
  const admission = createAdmission({
    deadline,
    isPreferred: addresses.isPreferred,
    limitMs: loginTimeoutMs,
    nowMs: () => ports.nowMs(),
  })

  /** @throws Refusal unless these credentials are valid */
  async function principalOf(client: Client, username: string, password: string): Promise<Principal> {
    const { clientId = '' } = connects.get(client) ?? {}
    requireOwnClientId(username, clientId)
    const origin = originOf(client)
    const address = addressGroupOf(origin.ip)
    const principal = await admission.login(address, () =>
      client.conn.destroyed
        ? Promise.reject(refusal('gone before its turn'))
        : ports.authenticate({ username, password, clientId, ...origin }),
    )
    if (!principal) {
      await untilClosed(client, addresses.failed(address))
      throw refusal('wrong credentials', { username }, CONNACK.badCredentials)
    }
    addresses.succeeded(address)
    return principal
  }

  /** @throws Refusal if the connection is not accepted */
  async function admit(client: Client, username: string, password: string): Promise<void> {
    const principal = await principalOf(client, username, password)
    const { clientId = '', will } = connects.get(client) ?? {}
    const caller = { username, clientId, principal }
    requireKind(caller, will?.topic, ports.nowMs())
    requireFreePlace(caller, connections)
    if (client.conn.destroyed) return
    if (principal.kind === 'station') admission.opening(client)
    connections.add({
      client,
      ...caller,
      origin: originOf(client),
      publishable: new Map(),
      filters: new Set(),
      isDuplicate: createDuplicateFilter(),
      isRevoked: false,
    })
  }

  return {
    preConnect(client, packet, callback) {
      // A session ends with its connection [MQTT-4.1.0-2]; otherwise it would queue messages without end.
      packet.clean = true
      connects.set(client, packet)
      callback(null, true)
    },
    authenticate(client, username, password, done) {
      if (!username || !password || password.length === 0) {
        done(asAuthenticateError(refusal('anonymous', {}, CONNACK.notAuthorized)), false)
        return
      }
      admit(client, username, password.toString()).then(
        () => done(null, true),
        (err: unknown) => done(asAuthenticateError(err), false),
      )
    },
    hasRoom: admission.hasRoom,
    opened: admission.opened,
  }
}

interface Caller {
  username: string
  clientId: string
  principal: Principal
}

const refuse = ({ username, clientId, principal: { kind } }: Caller, reason: string, code: number) =>
  refusal(reason, { username, clientId, kind }, code)

/** @throws Refusal if the caller may not use this name or this will, or its token has expired */
function requireKind(caller: Caller, willTopic: string | undefined, nowMs: number): void {
  const { username, principal } = caller
  const { kind, party, expiresAtMs } = principal
  if ((username === OPERATOR_USERNAME) !== (kind === 'operator'))
    throw refuse(caller, 'reserved username', CONNACK.notAuthorized)
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs)
    throw refuse(caller, 'token expired', CONNACK.badCredentials)
  if (willTopic !== undefined && !mayPublish(kind, party, willTopic))
    throw refuse(caller, 'will outside the policy', CONNACK.notAuthorized)
}

/** @throws Refusal if the client id belongs to another operator, or its owner has too many connections */
function requireFreePlace(caller: Caller, connections: Connections): void {
  const { username, clientId, principal } = caller
  const siblings = connections.ofUsername(username)
  // Only operators share a username. Without this check, one could disconnect another by using its client id.
  if (siblings.some((other) => other.clientId === clientId && other.principal.id !== principal.id))
    throw refuse(caller, 'client id belongs to another operator', CONNACK.identifierRejected)
  const suffixed = new Set(
    siblings
      .filter((other) => other.principal.id === principal.id && other.clientId !== other.username)
      .map((other) => other.clientId),
  )
  const isOneMore = clientId !== username && !suffixed.has(clientId)
  if (isOneMore && suffixed.size >= MAX_SUFFIXES_PER_OWNER)
    throw refuse(caller, 'too many connections', CONNACK.serverUnavailable)
}

/** Waits this long, or until the connection closes. */
function untilClosed({ conn }: Client, ms: number): Promise<void> {
  if (ms === 0 || conn.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer)
      conn.off('close', over)
      resolve()
    }
    const timer = setTimeout(over, ms)
    conn.once('close', over)
  })
}

/** @throws Refusal unless the client id is the username, optionally with a suffix `:x`. */
function requireOwnClientId(username: string, clientId: string): void {
  if (!USERNAME.test(username)) throw refusal('malformed username', {}, CONNACK.badCredentials)
  const isOwn = clientId === username || SUFFIX.test(clientId.slice(username.length + 1))
  const hasPrefix = clientId === username || clientId.startsWith(`${username}:`)
  if (!isOwn || !hasPrefix)
    throw refusal('client id is not the username', { username }, CONNACK.identifierRejected)
}

function asAuthenticateError(err: unknown): AuthenticateError {
  const isOurs = err instanceof Error && isRefusal(err)
  // The error of the port is only logged. The client gets a temporary refusal.
  const known: Error = isOurs ? err : refusal('authentication failed', { err }, CONNACK.serverUnavailable)
  return known as AuthenticateError
}
