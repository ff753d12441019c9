import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { pino } from 'pino'
import { initialState, viewOf, type ScreenView } from '../core/index.ts'
import { createScreenServer, type ScreenServer } from './screen-server.ts'

let pageDir: string
let screen: ScreenServer
let origin: string
let view: ScreenView
let acts: unknown[][]

beforeAll(async () => {
  pageDir = await mkdtemp(join(tmpdir(), 'escale-screen-'))
  await writeFile(join(pageDir, 'index.html'), '<!doctype html><title>Escale</title>')
})
afterAll(() => rm(pageDir, { recursive: true }))

beforeEach(async () => {
  acts = []
  view = viewOf(initialState({ bootId: 'b', wallOffsetMs: 0 }), 0)
  screen = await createScreenServer(options())
  origin = new URL(screen.url).origin
})
afterEach(() => screen.stop())

const options = () => ({
  port: 0,
  pageDir,
  view: () => view,
  onCode: (code: string) => acts.push(['code', code]),
  onAccept: () => acts.push(['accept']),
  onEnd: () => acts.push(['end']),
  onCallStaff: (reason?: string) => acts.push(['call-staff', reason]),
  onDismiss: (id: string) => acts.push(['dismiss', id]),
  onPagesChanged: () => undefined,
  log: pino({ level: 'silent' }),
})

interface Sent {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** Plain HTTP, because fetch does not let a test forge Host and Origin. */
const send = (path: string, { method = 'POST', headers = {}, body = '' }: Sent = {}) =>
  new Promise<number>((resolve, reject) => {
    const sent = request(new URL(path, screen.url), { method, headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end(body)
  })
const json = (value: unknown, headers: Record<string, string> = {}): Sent => ({
  headers: { 'content-type': 'application/json', origin, ...headers },
  body: JSON.stringify(value),
})

describe('the screen’s server', () => {
  it('serves the page with a policy that allows nothing inline and nothing from other sites', async () => {
    const response = await fetch(screen.url)
    expect(response.status).toBe(200)
    const policy = response.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|\*|data:/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it.each(['/../package.json', '/%2e%2e/package.json', '/assets', '/agent.json'])(
    'answers 404 at %s',
    async (path) => {
      expect(await send(path, { method: 'GET' })).toBe(404)
    },
  )

  it('accepts the visitor’s actions from its own page', async () => {
    expect(await send('/api/code', json({ code: 'ABCD-2345' }))).toBe(204)
    expect(await send('/api/accept', json({}))).toBe(204)
    expect(await send('/api/end', json({}))).toBe(204)
    expect(await send('/api/call-staff', json({ reason: 'imprimante' }))).toBe(204)
    expect(acts).toEqual([['code', 'ABCD-2345'], ['accept'], ['end'], ['call-staff', 'imprimante']])
  })

  it.each<[string, Sent]>([
    ['of another site', json({}, { origin: 'https://example.org' })],
    ['of another port of this machine', json({}, { origin: 'http://127.0.0.1:1' })],
    ['of a sandboxed page', json({}, { origin: 'null' })],
    ['that sends no Origin', { headers: { 'content-type': 'application/json' }, body: '{}' }],
  ])('refuses an action from a page %s', async (_, sent) => {
    expect(await send('/api/end', sent)).toBe(403)
    expect(acts).toEqual([])
  })

  it('refuses a DNS name that points at this machine', async () => {
    expect(await send('/api/state', { method: 'GET', headers: { host: 'evil.example:80' } })).toBe(403)
    expect(await send('/api/end', json({}, { host: 'evil.example:80' }))).toBe(403)
  })

  it('refuses a read by another site’s page', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' }
    expect(await send('/api/state', { method: 'GET', headers })).toBe(403)
  })

  it.each<[string, number, Sent]>([
    ['that is a form', 415, { headers: { 'content-type': 'text/plain', origin: '' }, body: '{"code":"x"}' }],
    [
      'that is broken',
      422,
      { headers: { 'content-type': 'application/json', origin: '' }, body: '{"code":' },
    ],
    [
      'of another type',
      422,
      { headers: { 'content-type': 'application/json', origin: '' }, body: '{"code":7}' },
    ],
    [
      'of a megabyte',
      413,
      { headers: { 'content-type': 'application/json', origin: '' }, body: JSON.stringify('x'.repeat(1e6)) },
    ],
  ])('refuses a body %s', async (_, status, { headers, body }) => {
    const sent = { headers: { ...headers, origin }, body }
    expect(await send('/api/code', sent).catch(() => status)).toBe(status)
    expect(acts).toEqual([])
  })

  it('answers 405 to the wrong method', async () => {
    expect(await send('/api/code', { method: 'GET' })).toBe(405)
    expect(await send('/', json({}))).toBe(405)
  })

  it('streams the view at once, and again at each change except that time passes', async () => {
    const response = await fetch(`${screen.url}api/state`, { headers: { accept: 'text/event-stream' } })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toContain('"phase":"pairing"')
    screen.refresh()
    const countdown = { remainingMs: 5_000, grantedSeconds: 60 }
    view = { ...view, phase: 'active', countdown }
    screen.refresh()
    view = { ...view, countdown: { ...countdown, remainingMs: 4_000 } }
    screen.refresh()
    view = { ...view, phase: 'locked', countdown: undefined }
    screen.refresh()
    let frames = ''
    while (!frames.includes('"phase":"locked"')) frames += (await reader.read()).value ?? ''
    expect(frames).toContain('"remainingMs":5000')
    expect(frames).not.toContain('"remainingMs":4000')
    await reader.cancel()
  })

  const openStream = async () => {
    const response = await fetch(`${screen.url}api/state`, { headers: { accept: 'text/event-stream' } })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toContain('"phase"')
    return reader
  }

  it('shows the station to a new page even if many streams are open: the oldest is closed', async () => {
    expect(screen.hasPage()).toBe(false)
    const held = await Promise.all(Array.from({ length: 8 }, openStream))
    expect(screen.hasPage()).toBe(true)
    const page = await openStream()
    expect((await held[0]!.read()).done).toBe(true)
    view = { ...view, phase: 'maintenance' }
    screen.refresh()
    expect((await page.read()).value).toContain('"phase":"maintenance"')
    expect((await held[7]!.read()).value).toContain('"phase":"maintenance"')
    for (const reader of [...held, page]) await reader.cancel()
    await expect.poll(screen.hasPage).toBe(false)
  })

  it('answers while hundreds of connections stay silent', async () => {
    const { port } = new URL(screen.url)
    const silent = Array.from({ length: 300 }, () =>
      connect(Number(port), '127.0.0.1').on('error', () => undefined),
    )
    await Promise.all(silent.map((socket) => once(socket, 'connect')))
    expect(await send('/', { method: 'GET' })).toBe(200)
    await expect.poll(() => silent.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(64)
    for (const socket of silent) socket.destroy()
  })

  it('closes a request whose body does not arrive', async () => {
    const { port, host } = new URL(screen.url)
    const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined)
    socket.write(
      `POST /api/code HTTP/1.1\r\nhost: ${host}\r\norigin: http://${host}\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{`,
    )
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(String(answer)).toContain('408')
    expect(acts).toEqual([])
  })

  it('reports in two languages that its port is in use', async () => {
    const taken = createScreenServer({ ...options(), port: Number(new URL(screen.url).port) })
    await expect(taken).rejects.toThrow(/est déjà pris.*--screen-port.* · .*is taken.*--screen-port/)
  })
})

it('a page that was not built gives a clear error', async () => {
  const { createPage } = await import('./page.ts')
  await expect(createPage(join(pageDir, 'nothing'))).rejects.toThrow('npm run build -w agent')
})

describe('the screen of a station with a lock of its own', () => {
  const key = 'k3y-of-the-screen'
  const cookie = `escale-screen=${key}`
  const form = (given: string, headers: Record<string, string> = {}): Sent => {
    const body = `key=${given}`
    const type = 'application/x-www-form-urlencoded'
    return {
      headers: { 'content-type': type, 'content-length': String(body.length), origin: 'null', ...headers },
      body,
    }
  }

  beforeEach(async () => {
    await screen.stop()
    screen = await createScreenServer({ ...options(), key })
    origin = new URL(screen.url).origin
  })

  it('accepts its own page', async () => {
    expect(await send('/api/state', { method: 'GET', headers: { cookie } })).toBe(200)
    expect(await send('/api/end', json({}, { cookie: `other=1; ${cookie}` }))).toBe(204)
    expect(acts).toEqual([['end']])
  })

  it.each<[string, number, Record<string, string>]>([
    ['without the key', 401, {}],
    ['with another key', 401, { cookie: 'escale-screen=guess' }],
    ['with the key in another cookie', 401, { cookie: `screen=${key}` }],
    ['from another site, with the key', 403, { cookie, origin: 'https://example.org' }],
    ['by another name of this machine, with the key', 403, { cookie, host: 'evil.example:80' }],
  ])('refuses a request %s', async (_, status, headers) => {
    expect(await send('/api/end', json({}, headers))).toBe(status)
    expect(await send('/api/code', json({ code: 'ABCD-2345' }, headers))).toBe(status)
    expect(await send('/api/state', { method: 'GET', headers })).toBe(status)
    expect(await send('/api/kiosk', { method: 'GET', headers })).toBe(status)
    expect(acts).toEqual([])
  })

  it('counts no stream without the key as its page', async () => {
    const headers = { accept: 'text/event-stream' }
    expect((await fetch(`${screen.url}api/state`, { headers })).status).toBe(401)
    expect(screen.hasPage()).toBe(false)
  })

  it('gives its cookie to whoever has the key, and to nobody else', async () => {
    expect(await send('/api/enter', form(key))).toBe(200)
    expect(await send('/api/enter', form('guess'))).toBe(403)
    expect(await send('/api/enter', form(key, { host: 'evil.example:80' }))).toBe(403)
    expect(await send('/api/enter', form(key, { 'content-length': '9999' }))).toBe(403)
    expect(await send(`/api/enter?key=${key}`, { method: 'GET' })).toBe(403)
    const body = new URLSearchParams({ key })
    const entered = await fetch(`${screen.url}api/enter`, { method: 'POST', body })
    expect(entered.headers.get('set-cookie')).toBe(`${cookie}; Path=/; HttpOnly; SameSite=Strict`)
  })
})
