import type { IClientOptions } from 'mqtt'
import { connectAsync } from 'mqtt'
import { WebSocket, type ClientOptions } from 'ws'
import { createCaller } from './calls.ts'
import { inboxOf, liveClientOf } from './clients.ts'
import { HOST, startTestServer, type TestServerOptions } from './server.ts'
import { createSiteActions } from './site.ts'

export type { Answer, Call } from './calls.ts'
export { useFakeTime } from './fake-time.ts'
export type { LogLine } from './server.ts'

type LiveOptions = ClientOptions & { token?: string | null; protocols?: string[] }

export type TestApp = Awaited<ReturnType<typeof startTestApp>>

/** The real server on a database of its own, and all that tests do with it. */
export async function startTestApp(options: TestServerOptions = {}) {
  const server = await startTestServer(options)
  const { clock, tokenOf, listen, siteKey, onStop } = server
  const { call, done } = createCaller({ app: () => server.app, nowMs: clock.nowMs, tokenOf })

  /** A real MQTT client over TCP; `messages` collects what arrives and waits for it. */
  async function mqtt(username: string, password: string, more: IClientOptions = {}) {
    const ports = await listen()
    const client = await connectAsync(`mqtt://${HOST}:${ports.mqtt}`, {
      clientId: username,
      username,
      password,
      reconnectPeriod: 0,
      keepalive: 0,
      ...more,
    })
    client.on('error', () => undefined)
    onStop(() => client.endAsync(true))
    return { client, messages: inboxOf(client) }
  }

  /** A live screen; with `token` null it shows none at first. */
  async function live(path = '', { token, protocols, ...more }: LiveOptions = {}) {
    const { http } = await listen()
    const shown = token === null ? undefined : (token ?? (await tokenOf('admin')))
    const offered = protocols ?? ['escale.v1', ...(shown === undefined ? [] : [`bearer.${shown}`])]
    const socket = new WebSocket(`ws://${HOST}:${http}/ws/sessions/${path}`, offered, more)
    onStop(() => socket.terminate())
    return liveClientOf(socket)
  }

  // Not by spreading, which would read `app` once and for all.
  return Object.assign(server, { call, done, mqtt, live }, createSiteActions(done, siteKey))
}
