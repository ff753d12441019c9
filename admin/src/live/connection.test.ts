import type { ServerFrame } from '@escale/protocol'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocketServer, type WebSocket as ServerSocket } from 'ws'
import { createLiveConnection, reconnectDelayMs, type LiveConnection, type LiveState } from './connection.ts'

const closings: (() => void)[] = []
afterEach(() => {
  closings.splice(0).forEach((close) => {
    close()
  })
})

interface Arrival {
  socket: ServerSocket
  protocols: string[]
}

/** A server that greets each connection and gives it to the test. */
async function startServer() {
  const arrivals: Arrival[] = []
  const received: unknown[] = []
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: () => 'escale.v1',
  })
  server.on('connection', (socket, request) => {
    arrivals.push({ socket, protocols: (request.headers['sec-websocket-protocol'] ?? '').split(/, ?/) })
    socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString())))
    greet(socket)
  })
  await new Promise((resolve) => server.once('listening', resolve))
  closings.push(() => {
    server.clients.forEach((socket) => {
      socket.terminate()
    })
    server.close()
  })
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, arrivals, received }
}

const greet = (socket: ServerSocket) => {
  socket.send(JSON.stringify({ type: 'connection_established', sentAt: '2026-03-02T09:00:00.000Z' }))
}

function connectTo(url: string, validForMs = 600_000) {
  const frames: ServerFrame[] = []
  const states: LiveState[] = []
  let serial = 1
  const connection: LiveConnection = createLiveConnection({
    url,
    accessToken: () => Promise.resolve(`token-${serial}`),
    renew: () => {
      serial += 1
      return Promise.resolve(`token-${serial}`)
    },
    validForMs: () => validForMs,
    isWorthRetrying: () => true,
    onFrame: (frame) => frames.push(frame),
    onState: (state) => states.push(state),
    random: () => 0,
  })
  closings.push(connection.stop)
  connection.start()
  return { connection, frames, states }
}

describe('the live connection', () => {
  it('sends the protocol and the token, and reconnects after a lost connection', async () => {
    const { url, arrivals } = await startServer()
    const { states } = connectTo(url)
    await expect.poll(() => states.at(-1)).toBe('live')
    arrivals[0]?.socket.terminate()
    await expect.poll(() => states).toEqual(['connecting', 'live', 'reconnecting', 'live'])
    expect(arrivals.map((one) => one.protocols)).toEqual([
      ['escale.v1', 'bearer.token-1'],
      ['escale.v1', 'bearer.token-1'],
    ])
  })

  it('renews a token that the server refuses, and then reconnects', async () => {
    const { url, arrivals } = await startServer()
    const { states } = connectTo(url)
    await expect.poll(() => states.at(-1)).toBe('live')
    arrivals[0]?.socket.close(4401)
    await expect.poll(() => arrivals[1]?.protocols).toEqual(['escale.v1', 'bearer.token-2'])
  })

  it('renews its token on the open socket before it expires', async () => {
    const { url, received, arrivals } = await startServer()
    connectTo(url, 60_000)
    await expect
      .poll(() => received, { timeout: 5_000 })
      .toContainEqual({
        type: 'authenticate',
        token: 'token-2',
      })
    expect(arrivals).toHaveLength(1)
  })

  it('reports that too many screens are open, and connects again on request', async () => {
    const { url, arrivals } = await startServer()
    const { connection, states } = connectTo(url)
    await expect.poll(() => states.at(-1)).toBe('live')
    arrivals[0]?.socket.close(4429)
    await expect.poll(() => states.at(-1)).toBe('tooManyScreens')
    connection.reconnectNow()
    await expect.poll(() => states).toEqual(['connecting', 'live', 'tooManyScreens', 'live'])
  })

  it('ignores messages that are not frames, and reports nothing after it was stopped', async () => {
    const { url, arrivals } = await startServer()
    const { connection, frames, states } = connectTo(url)
    await expect.poll(() => states.at(-1)).toBe('live')
    const socket = arrivals[0]!.socket
    for (const text of ['{broken', 'null', '[]', '{"type":7}']) socket.send(text)
    socket.send(JSON.stringify({ type: 'heartbeat', sentAt: '2026-03-02T09:00:01.000Z' }))
    await expect
      .poll(() => frames.map((frame) => frame.type))
      .toEqual(['connection_established', 'heartbeat'])
    const closed = new Promise((resolve) => socket.once('close', resolve))
    connection.stop()
    await closed
    expect([frames.length, states]).toEqual([2, ['connecting', 'live']])
  })
})

describe('the delay before reconnecting', () => {
  it('doubles up to a limit, and half of it is random', () => {
    expect([0, 1, 2, 20].map((failures) => reconnectDelayMs(failures, 1))).toEqual([400, 800, 1_600, 15_000])
    expect([0, 20].map((failures) => reconnectDelayMs(failures, 0))).toEqual([200, 7_500])
  })
})
