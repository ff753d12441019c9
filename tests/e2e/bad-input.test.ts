import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { request, signIn, type Api } from '../support/api.ts'
import { startServer, type RunningServer } from '../support/server.ts'

let server: RunningServer
let api: Api

beforeAll(async () => {
  server = await startServer()
  api = await signIn(server)
})
afterAll(() => server.dispose())

// After each input the same process still answers.
afterEach(async () => {
  expect(server.process().child.exitCode).toBeNull()
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
})

const postBody = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  request(server.url + path, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${api.token}`, 'content-type': 'application/json', ...headers },
  })

describe('over HTTP', () => {
  test.for([
    ['broken JSON', '{"firstName": "Zoé"', 400, 'malformed-json'],
    ['an unknown field', '{"firstName":"Zoé","lastName":"Roy","admin":true}', 422, 'unknown-field'],
    ['a wrong type', '{"firstName":"Zoé","lastName":12}', 422, 'invalid-body'],
    ['a list instead of an object', '[]', 422, 'invalid-body'],
    ['a body of 3 MB', `{"notes":"${'x'.repeat(3_000_000)}"}`, 413, 'body-too-large'],
  ] as const)('%s is answered with problem details', async ([, body, status, code]) => {
    const answer = await postBody('/api/utilisateurs/', body)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(answer.body).toMatchObject({ status, code, instance: expect.any(String) as string })
  })

  test('a media type other than JSON is refused', async () => {
    const answer = await postBody('/api/utilisateurs/', 'firstName=Zoé', { 'content-type': 'text/plain' })
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } })
  })

  test.for([
    ['no token', undefined],
    ['a text that is not a token', 'abc.def.ghi'],
    ['a token signed by another installation', () => signedAgain({}, 'somebody else’s key')],
    ['a token without a signature', () => unsignedToken()],
    ['an expired token', () => signedAgain({ exp: Math.floor(Date.now() / 1_000) - 1 }, ownKey())],
  ] as const)('%s is refused', async ([, token]) => {
    const bearer = typeof token === 'function' ? token() : token
    const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
    const answer = await request(`${server.url}/api/postes/`, { headers })
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
  })

  test('a token with the same claims, signed with the right key, is accepted (so the refusals above have the stated cause)', async () => {
    const headers = { authorization: `Bearer ${signedAgain({}, ownKey())}` }
    expect((await request(`${server.url}/api/postes/`, { headers })).status).toBe(200)
  })

  test('bytes that are not HTTP close the connection', async () => {
    await expectClosed(Buffer.from('\x00\xff\x13garbage\r\n\r\n', 'latin1'), server.url)
  })
})

describe('over WebSocket', () => {
  test('a token signed with another key closes with 4401', async () => {
    const token = signedAgain({}, 'somebody else’s key')
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/sessions/`, [
      'escale.v1',
      `bearer.${token}`,
    ])
    const [code] = (await once(socket, 'close')) as [number]
    expect(code).toBe(4401)
  })

  test('broken and oversized frames get an error or a closed connection', async () => {
    for (const text of ['{', '{"type":"no-such"}', 'x'.repeat(2_000_000)]) {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/sessions/`, [
        'escale.v1',
        `bearer.${api.token}`,
      ])
      await once(socket, 'open')
      const answered = new Promise<string>((resolve) => {
        socket.on('message', (data: Buffer) => {
          if (data.toString().includes('"error"')) resolve('error')
        })
        socket.on('close', () => resolve('closed'))
      })
      socket.send(text)
      expect(['error', 'closed']).toContain(await answered)
      socket.terminate()
    }
  })
})

describe('over MQTT', () => {
  /** A CONNECT packet (MQTT 3.1.1, keepalive 10 s, clean session) of a station with a wrong secret. */
  const wrongLogin = Buffer.from([
    0x10, 0x1a, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0xc2, 0, 10, 0, 4, 0x70, 0x63, 0x2d, 0x31, 0, 4, 0x70, 0x63,
    0x2d, 0x31, 0, 2, 0x6e, 0x6f,
  ])

  test.for([
    ['random bytes', Buffer.from('\xf0\xff\xff\xff\xff\x00garbage', 'latin1')],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a CONNECT that announces 200 MB', Buffer.from([0x10, 0x80, 0xc2, 0xaf, 0x5f, 0, 4, 0x4d, 0x51])],
    ['a PUBLISH before any CONNECT', Buffer.from([0x30, 5, 0, 1, 0x61, 0x68, 0x69])],
    ['a login with a wrong secret', wrongLogin],
  ] as const)('%s closes the connection', async ([, bytes]) => {
    await expectClosed(bytes, server.mqttUrl)
  })
})

/** Sends bytes and waits until the server closes the connection. */
async function expectClosed(bytes: Buffer, url: string): Promise<void> {
  const socket: Socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => socket.destroy())
  await once(socket, 'connect')
  const closed = once(socket, 'close')
  socket.write(bytes)
  socket.resume()
  await closed
}

/** The operator's token with these claims changed, signed with this key. */
function signedAgain(claims: Record<string, unknown>, key: string | Buffer): string {
  const [header = '', payload = ''] = api.token.split('.')
  const own = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const body = `${header}.${Buffer.from(JSON.stringify({ ...own, ...claims })).toString('base64url')}`
  return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`
}

/** The installation's signing key, from its data folder. */
const ownKey = () =>
  Buffer.from(readFileSync(join(server.dataDir, 'keys', 'token'), 'utf8').trim(), 'base64url')

function unsignedToken(): string {
  const header = Buffer.from('{"alg":"none"}').toString('base64url')
  return `${header}.${api.token.split('.')[1] ?? ''}.`
}

test.skipIf(process.platform === 'win32')('other users of the machine cannot read the server’s files', () => {
  const files = readdirSync(server.dataDir, { recursive: true, withFileTypes: true })
  const open = files.filter(({ parentPath, name }) => (statSync(join(parentPath, name)).mode & 0o077) !== 0)
  expect(files.length).toBeGreaterThan(5)
  expect(open.map(({ name }) => name).filter((name) => name !== 'ca.pem')).toEqual([])
})
