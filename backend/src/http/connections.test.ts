import { connect } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import { errorTable, type Problem } from '@escale/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../testing/app.ts'
import { registerNotFound } from './not-found.ts'
import { registerPages } from './pages.ts'
import { registerClosing, registerProblems } from './problem.ts'

let test: TestApp

beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

/** The server's answer to these bytes, until it closes the connection. */
async function answerTo(bytes: string) {
  const { http } = await test.listen()
  const socket = connect(http, '127.0.0.1')
  socket.write(bytes)
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  return { head, body: JSON.parse(body) as Problem }
}

describe('an invalid request', () => {
  it.each([
    ['malformed-request', 'nonsense\r\n\r\n'],
    ['malformed-request', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n'],
    ['headers-too-large', `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`],
  ] as const)('is refused as %s with problem details', async (code, bytes) => {
    const { head, body } = await answerTo(bytes)
    const { status, title } = errorTable[code]
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(head).toContain('application/problem+json')
    expect(body).toMatchObject({ code, status, title: title.fr })
  })
})

describe('an incomplete request', () => {
  const head = (first: string, ...headers: string[]) => [first, 'Host: a', ...headers, '', ''].join('\r\n')
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  const json = ['Content-Type: application/json', 'Content-Length: 100']

  beforeAll(async () => {
    await test.listen()
    Object.assign(test.app.http.server, { requestTimeout: 200, headersTimeout: 200 })
  })

  it.each([
    ['nothing at all', ''],
    ['half of its first line', 'GET /heal'],
    ['headers without their end', 'GET /healthz HTTP/1.1\r\nHost: a\r\n'],
    ['half of an upgrade', 'GET /ws/sessions/ HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n'],
    ['half of a body', head('POST /api/token/ HTTP/1.1', ...json) + '{"username":'],
    [
      'half of a chunked body',
      head('POST /api/token/ HTTP/1.1', json[0]!, 'Transfer-Encoding: chunked') + '5\r\n{',
    ],
    ['half of a body beside an upgrade', head('POST /api/token/ HTTP/1.1', ...json, ...upgrade) + '{'],
    [
      'half of a body beside another upgrade',
      head('POST /api/token/ HTTP/1.1', ...json, 'Connection: Upgrade', 'Upgrade: h2c') + '{',
    ],
  ])('is refused: %s', async (_what, bytes) => {
    const { head: answered, body } = await answerTo(bytes)
    expect(answered).toMatch(/^HTTP\/1.1 408 /)
    expect(body).toMatchObject({ code: 'request-timeout', status: 408 })
  })

  it('is answered at once if it only claims to be an upgrade', async () => {
    const { head: answered } = await answerTo(head('GET /healthz HTTP/1.1', ...upgrade, 'Connection: close'))
    expect(answered).toMatch(/^HTTP\/1.1 200 /)
  })
})

describe('a server that stops', () => {
  it('tells clients that still send requests to try again later', async () => {
    const app = Fastify({ return503OnClosing: false })
    registerClosing(app)
    registerProblems(app)
    app.get('/', () => 'here')
    let told: { status: number; body: unknown } | undefined
    app.addHook('preClose', async () => {
      const answer = await fetch(address)
      told = { status: answer.status, body: await answer.json() }
    })
    const address = await app.listen({ host: '127.0.0.1', port: 0 })
    expect((await fetch(address)).status).toBe(200)
    await app.close()
    expect(told).toMatchObject({ status: 503, body: { code: 'unavailable' } })
  })
})

describe('a page of the admin', () => {
  it('is answered to HEAD as to GET, without its body', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'escale-pages-'))
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Escale</title>')
    const app = Fastify()
    registerProblems(app)
    registerNotFound(app)
    await registerPages(app, folder)
    for (const url of ['/', '/visiteurs/42']) {
      const [get, head] = await Promise.all(
        (['GET', 'HEAD'] as const).map((method) =>
          app.inject({ method, url, headers: { accept: 'text/html' } }),
        ),
      )
      expect([get!.statusCode, head!.statusCode], url).toEqual([200, 200])
      expect(head!.headers['content-type'], url).toBe(get!.headers['content-type'])
      expect(head!.headers['content-length'], url).toBe(get!.headers['content-length'])
      expect(head!.body, url).toBe('')
    }
    await app.close()
    rmSync(folder, { recursive: true })
  })
})
