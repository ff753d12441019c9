import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

let server: Server
let proxy: TcpProxy
/** The chunks that arrived at the server. It sends each of them back. */
let chunks: string[]
let served: Socket[]

beforeEach(async () => {
  chunks = []
  served = []
  server = createServer({ noDelay: true }, (socket) => {
    served.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk.toString())
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

test('forwards bytes in both directions, and the end of the connection', async () => {
  const { socket, echoed, closed } = await open()
  socket.write('hello')
  await expect.poll(echoed).toBe('hello')
  socket.end()
  await closed
  await expect.poll(() => proxy.connections()).toBe(0)
})

test('splits a chunk into small ones', async () => {
  proxy.split(1)
  const { socket, echoed } = await open()
  socket.write('abc')
  await expect.poll(echoed).toBe('abc')
  expect(chunks.length).toBeGreaterThan(1)
})

test('delays what it forwards', async () => {
  proxy.delay(100)
  const { socket, echoed } = await open()
  const startedMs = performance.now()
  socket.write('x')
  await expect.poll(echoed).toBe('x')
  expect(performance.now() - startedMs).toBeGreaterThan(190)
})

test('holds everything back while frozen, and forwards all of it afterwards', async () => {
  const { socket, echoed } = await open()
  socket.write('before')
  await expect.poll(echoed).toBe('before')
  proxy.freeze()
  socket.write(' after')
  const other = await open()
  other.socket.write('other')
  // The answer to a direct connection shows that the server works, so the other bytes were held back.
  const direct = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  direct.write('direct')
  await once(direct, 'data')
  expect([echoed(), other.echoed()]).toEqual(['before', ''])
  proxy.thaw()
  await expect.poll(echoed).toBe('before after')
  await expect.poll(other.echoed).toBe('other')
  direct.destroy()
})

test('resets connections and refuses new ones while cut, and works again when mended', async () => {
  const { closed } = await open()
  proxy.cut(true)
  await closed
  await dial().closed
  proxy.mend()
  const { socket: again, echoed } = await open()
  again.write('x')
  await expect.poll(echoed).toBe('x')
})

test('closes only the server’s side when half open', async () => {
  const { socket, echoed } = await open()
  socket.write('x')
  await expect.poll(echoed).toBe('x')
  proxy.halfOpen()
  await expect.poll(() => served[0]?.destroyed).toBe(true)
  socket.write('into the void')
  expect(socket.destroyed).toBe(false)
  expect(proxy.connections()).toBe(1)
})
