import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startServer, type RunningServer } from '../support/server.ts'

/** A contract, not a measure of speed: what a stranger does elsewhere keeps nobody out for longer than this. */
const WITHIN_MS = 2_000
/** Where the machine itself takes longer for one sign-in in peace, so often as long. */
const TIMES_PEACE = 4
const LOOPS = 8
/** Each is an address of its own on this machine. */
const DESK = '127.0.0.2'
const STRANGER = '127.0.0.3'
const NEWCOMER = '127.0.0.4'

interface Answer {
  status: number
  body: Record<string, unknown>
  tookMs: number
}

let server: RunningServer
let isFlooding = false
let withinMs = WITHIN_MS

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
beforeAll(async () => {
  server = await startServer({ env: { ESCALE_LOG_LEVEL: 'warn' } })
})
afterAll(() => server.dispose())

/** One request from an address of this machine. */
function post(localAddress: string, path: string, body: object): Promise<Answer> {
  const startedMs = performance.now()
  const text = JSON.stringify(body)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, server.url),
      { method: 'POST', localAddress, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
            tookMs: performance.now() - startedMs,
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(text)
  })
}

const signIn = (address: string, username = server.username, password = server.password) =>
  post(address, '/api/token/', { username, password })
const enrol = (address: string, macAddress: string, enrolmentKey = server.enrolmentKey) =>
  post(address, '/api/postes/enrol/', {
    ...{ enrolmentKey, macAddress, hostname: 'h', os: 'Debian 13', agentVersion: '1' },
  })

/** Loops of a stranger, until the returned function is called; it answers how often each status came. */
function flood(once: (loop: number, turn: number) => Promise<Answer>): () => Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  isFlooding = true
  const loops = Array.from({ length: LOOPS }, async (_, loop) => {
    for (let turn = 0; isFlooding; turn += 1) {
      const { status } = await once(loop, turn)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  })
  return async () => {
    isFlooding = false
    await Promise.all(loops)
    return statuses
  }
}
/** The flood has met the server: it is under way. */
const settled = (once: () => Promise<Answer>) =>
  vi.waitFor(async () => expect((await once()).status).toBe(429), 30_000)

describe('while a stranger floods the server from one address', () => {
  test('with a new username each time, operators sign in, from a new address and after a restart too', async () => {
    const inPeace = await signIn(DESK)
    expect(inPeace.status).toBe(200)
    withinMs = Math.max(WITHIN_MS, TIMES_PEACE * inPeace.tookMs)
    const name = (loop: number, turn: number) => `inconnu-${loop}-${turn}`
    const end = flood((loop, turn) => signIn(STRANGER, name(loop, turn), 'faux'))
    await settled(() => signIn(STRANGER, 'personne', 'faux'))
    for (const address of [DESK, NEWCOMER, DESK]) {
      const answer = await signIn(address)
      expect(answer.status).toBe(200)
      expect(answer.tookMs).toBeLessThan(withinMs)
    }
    const statuses = await end()
    expect(statuses.get(401) ?? 0).toBeLessThanOrEqual(12)
    await server.kill()
    await server.restart()
    expect((await signIn(DESK)).status).toBe(200)
  })

  test('with the operator’s own name from many addresses, the operator signs in at the desk', async () => {
    const end = flood((loop, turn) =>
      signIn(`127.0.1.${1 + ((loop * 31 + turn) % 200)}`, server.username, 'faux'),
    )
    await settled(() => signIn('127.0.2.1', server.username, 'faux'))
    for (let turn = 0; turn < 3; turn += 1) {
      const answer = await signIn(DESK)
      expect(answer.status).toBe(200)
      expect(answer.tookMs).toBeLessThan(withinMs)
    }
    await end()
  })

  test('with pairing requests, a station gets its code', async () => {
    const macOf = (loop: number, turn: number) =>
      `02:00:00:00:${loop.toString(16).padStart(2, '0')}:${(turn % 256).toString(16).padStart(2, '0')}`
    const end = flood((loop, turn) => enrol(STRANGER, macOf(loop, turn)))
    let probes = 0
    await settled(() => enrol(STRANGER, macOf(255, (probes += 1))))
    const answer = await enrol(NEWCOMER, '02:00:00:00:fe:01')
    expect(answer.status).toBe(202)
    expect(answer.tookMs).toBeLessThan(withinMs)
    expect((await end()).get(202) ?? 0).toBeLessThanOrEqual(11)
  })

  test('with wrong keys, a station gets its code', async () => {
    const end = flood((loop, turn) => enrol('127.0.0.5', '02:00:00:00:fd:01', `clé-${loop}-${turn}`))
    await settled(() => enrol('127.0.0.5', '02:00:00:00:fd:01', 'clé'))
    const answer = await enrol(NEWCOMER, '02:00:00:00:fe:02')
    expect(answer.status).toBe(202)
    expect(answer.tookMs).toBeLessThan(withinMs)
    await end()
  })
})
