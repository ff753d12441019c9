import type { AedesOptions, AuthenticateError, Client, ConnectPacket } from 'aedes'
import { addressGroupOf, mayPublish } from '@escale/protocol'
import { createCallers } from './callers.ts'
import { createDuplicateFilter } from './duplicates.ts'
import type { Connections } from './connections.ts'
import type { Deadlines } from './deadlines.ts'
import { createGate } from './gate.ts'
import type { BrokerPorts, Origin, Principal } from './ports.ts'
import { CONNACK, isRefusal, refusal } from './refusal.ts'

/** The username under which operators connect, with their access token as the password. */
export const OPERATOR_USERNAME = 'operator'
/** Client ids with a suffix that may live beside the one without. */
export const MAX_SUFFIXES_PER_OWNER = 4
/** How many credentials are looked up at the same time: a room that comes back at once stands in line. */
export const MAX_LOGINS_AT_ONCE = 32
/** Of these, how many of one address; the addresses take turns. */
export const MAX_LOGINS_PER_ADDRESS = 16
/** Of these, how many are for addresses that logged in lately. */
const RESERVED_LOGINS = 8

const USERNAME = /^[a-z0-9-]{1,32}$/
const SUFFIX = /^[a-z0-9-]{1,32}$/

interface Login {
  preConnect: NonNullable<AedesOptions['preConnect']>
  authenticate: NonNullable<AedesOptions['authenticate']>
}

interface LoginParts {
  ports: Pick<BrokerPorts, 'authenticate' | 'nowMs'>
  connections: Connections
  originOf: (client: Client) => Origin
  deadline: Deadlines
  loginTimeoutMs: number
}

/** Who may connect at all: the hooks of Aedes around a CONNECT packet. */
export function createLogin(parts: LoginParts): Login {
  const { ports, connections, originOf, deadline, loginTimeoutMs } = parts
  // `authenticate` sees neither the will nor the client id as sent.
  const connects = new WeakMap<Client, ConnectPacket>()
  const callers = createCallers(() => ports.nowMs())
  const admitInTurn = createGate(
    {
      width: MAX_LOGINS_AT_ONCE,
      perGroup: MAX_LOGINS_PER_ADDRESS,
      reserved: RESERVED_LOGINS,
      limitMs: loginTimeoutMs,
    },
    {
      deadline,
      isWelcome: callers.isWelcome,
      late: () => refusal('login took too long', {}, CONNACK.serverUnavailable),
    },
  )

  /** @throws Refusal when the connection is not let in. */
  async function admit(client: Client, username: string, password: string): Promise<Principal> {
    const connect = connects.get(client)
    const clientId = connect?.clientId ?? ''
    requireOwnClientId(username, clientId)

    const origin = originOf(client)
    const address = addressGroupOf(origin.ip)
    const principal = await admitInTurn(address, () =>
      client.conn.destroyed
        ? Promise.reject(refusal('gone before its turn'))
        : ports.authenticate({ username, password, clientId, ...origin }),
    )
    if (!principal) {
      await untilClosed(client, callers.failed(address))
      throw refusal('wrong credentials', { username }, CONNACK.badCredentials)
    }
    callers.succeeded(address)
    const details = { username, clientId, kind: principal.kind }
    const refuse = (reason: string, code: number = CONNACK.notAuthorized) => refusal(reason, details, code)

    if ((username === OPERATOR_USERNAME) !== (principal.kind === 'operator'))
      throw refuse('reserved username')
    if (principal.expiresAtMs !== undefined && principal.expiresAtMs <= ports.nowMs()) {
      throw refuse('token expired', CONNACK.badCredentials)
    }
    if (connect?.will && !mayPublish(principal.kind, principal.party, connect.will.topic)) {
      throw refuse('will outside the policy')
    }

    const siblings = connections.ofUsername(username)
    // Only operators share a username: without this, one could throw another out by taking its client id.
    const isTaken = siblings.some(
      (other) => other.clientId === clientId && other.principal.id !== principal.id,
    )
    if (isTaken) throw refuse('client id belongs to another operator', CONNACK.identifierRejected)
    const suffixed = new Set(
      siblings
        .filter((other) => other.principal.id === principal.id && other.clientId !== other.username)
        .map((other) => other.clientId),
    )
    const isOneMore = clientId !== username && !suffixed.has(clientId)
    if (isOneMore && suffixed.size >= MAX_SUFFIXES_PER_OWNER)
      throw refuse('too many connections', CONNACK.serverUnavailable)

    if (!client.conn.destroyed) {
      connections.add({
        client,
        username,
        clientId,
        principal,
        origin,
        publishable: new Map(),
        filters: new Set(),
        isDuplicate: createDuplicateFilter(),
        isRevoked: false,
      })
    }
    return principal
  }

  return {
    preConnect(client, packet, callback) {
      // A session lasts as long as its connection [MQTT-4.1.0-2]: kept longer, it would gather messages without end.
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
  }
}

/** Waits so long, or until the connection is closed. */
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
  // What the port threw is for the log alone: the client learns that the server cannot say now.
  const known: Error = isOurs ? err : refusal('authentication failed', { err }, CONNACK.serverUnavailable)
  return known as AuthenticateError
}
