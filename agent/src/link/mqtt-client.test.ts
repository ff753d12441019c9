import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { failureOf, isWrongSecret, openClient } from './mqtt-client.ts'

const server = createServer()
let answer: Uint8Array | undefined
beforeEach(async () => {
  server.removeAllListeners('connection')
  server.on('connection', (socket) => {
    socket.once('data', () => (answer === undefined ? socket.destroy() : socket.end(answer)))
    socket.on('error', () => undefined)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterEach(() => server.close())

/** The first error of a connection whose CONNECT is answered with this return code. */
async function errorAfter(returnCode: number): Promise<Error> {
  answer = Uint8Array.of(0x20, 2, 0, returnCode)
  const { port } = server.address() as AddressInfo
  const client = openClient({ url: `mqtt://127.0.0.1:${port}`, stationId: 'pc-01', secret: 's' }, undefined)
  const err = await new Promise<Error>((resolve) => client.once('error', resolve))
  client.end(true)
  return err
}

it.each([
  [3, 'busy', false],
  [4, 'refused', true],
  [5, 'refused', false],
] as const)('reads CONNACK return code %i as %s', async (returnCode, failure, isWrong) => {
  const err = await errorAfter(returnCode)
  expect(failureOf(err)).toBe(failure)
  expect(isWrongSecret(err)).toBe(isWrong)
})
