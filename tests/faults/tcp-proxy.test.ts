import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

let server: Server
let proxy: TcpProxy
/** How the bytes arrived at the server, piece by piece; it sends each back. */
let pieces: string[]
let served: Socket[]

beforeEach(async () => {
  pieces = []
  served = []
  server = createServer({ noDelay: true }, (socket) => {
    served.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      pieces.push(chunk.toString())
      socket.write(chunk)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy = await openTcpProxy({ port: (server.address() as AddressInfo).port })
})
afterEach(async () => {
  await proxy.close()
  server.close()
})

function dial() {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true })
  let echoed = ''
  socket.on('data', (chunk: Buffer) => (echoed += chunk.toString()))
  socket.on('error', () => undefined)
  return { socket, echoed: () => echoed, closed: new Promise((resolve) => socket.once('close', resolve)) }
}

async function open() {
  const dialled = dial()
  await once(dialled.socket, 'connect')
  return dialled
}

test('passes bytes on, both ways, and their end', async () => {
  const { socket, echoed, closed } = await open()
  socket.write('hello')
  await expect.poll(echoed).toBe('hello')
  socket.end()
  await closed
  await expect.poll(() => proxy.connections()).toBe(0)
})

test('splits what is sent in one piece', async () => {
  proxy.split(1)
  const { socket, echoed } = await open()
  socket.write('abc')
  await expect.poll(echoed).toBe('abc')
  expect(pieces.length).toBeGreaterThan(1)
})

test('delays', async () => {
  proxy.delay(100)
  const { socket, echoed } = await open()
  const startedMs = performance.now()
  socket.write('x')
  await expect.poll(echoed).toBe('x')
  expect(performance.now() - startedMs).toBeGreaterThan(190)
})

test('frozen, holds everything back until it thaws, and loses nothing', async () => {
  const { socket, echoed } = await open()
  socket.write('before')
  await expect.poll(echoed).toBe('before')
  proxy.freeze()
  socket.write(' after')
  const other = await open()
  other.socket.write('other')
  // A third one, past the proxy, is served meanwhile: what is not there by then was held back.
  const direct = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  direct.write('direct')
  await once(direct, 'data')
  expect([echoed(), other.echoed()]).toEqual(['before', ''])
  proxy.thaw()
  await expect.poll(echoed).toBe('before after')
  await expect.poll(other.echoed).toBe('other')
  direct.destroy()
})

test('cut, breaks what is there and refuses what comes until it is mended', async () => {
  const { closed } = await open()
  proxy.cut(true)
  await closed
  await dial().closed
  proxy.mend()
  const { socket: again, echoed } = await open()
  again.write('x')
  await expect.poll(echoed).toBe('x')
})

test('half open, only the server sees the end', async () => {
  const { socket, echoed } = await open()
  socket.write('x')
  await expect.poll(echoed).toBe('x')
  proxy.halfOpen()
  await expect.poll(() => served[0]?.destroyed).toBe(true)
  socket.write('into the void')
  expect(socket.destroyed).toBe(false)
  expect(proxy.connections()).toBe(1)
})
