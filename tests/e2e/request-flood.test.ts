import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startServer, type RunningServer } from '../support/server.ts'

/** The longest time that an honest request may take during a flood. */
const WITHIN_MS = 2_000
/** On slow machines the limit is this many times the duration of a sign-in without a flood. */
const TIMES_USUAL = 4
const LOOPS = 8
/** Addresses of this machine, one for each client. */
const DESK = '127.0.0.2'
const ATTACKER = '127.0.0.3'
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

/** Sends one request from this address. */
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

/** Sends requests in several loops. The returned function ends them and returns how often each status came. */
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
/** Waits until the server refuses requests of the flood. */
const floodIsRefused = (once: () => Promise<Answer>) =>
  vi.waitFor(async () => expect((await once()).status).toBe(429), 30_000)

describe('during a flood of requests', () => {
  test('that sign in with a new username each time, operators can sign in, also from a new address and after a restart', async () => {
    const usual = await signIn(DESK)
    expect(usual.status).toBe(200)
    withinMs = Math.max(WITHIN_MS, TIMES_USUAL * usual.tookMs)
    const name = (loop: number, turn: number) => `inconnu-${loop}-${turn}`
    const end = flood((loop, turn) => signIn(ATTACKER, name(loop, turn), 'faux'))
    await floodIsRefused(() => signIn(ATTACKER, 'personne', 'faux'))
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

  test('that sign in with the operator’s name from many addresses, the operator can sign in at the desk', async () => {
    const end = flood((loop, turn) =>
      signIn(`127.0.1.${1 + ((loop * 31 + turn) % 200)}`, server.username, 'faux'),
    )
    await floodIsRefused(() => signIn('127.0.2.1', server.username, 'faux'))
    for (let turn = 0; turn < 3; turn += 1) {
      const answer = await signIn(DESK)
      expect(answer.status).toBe(200)
      expect(answer.tookMs).toBeLessThan(withinMs)
    }
    await end()
  })

  test('for pairing, a station gets its code', async () => {
    const macOf = (loop: number, turn: number) =>
      `02:00:00:00:${loop.toString(16).padStart(2, '0')}:${(turn % 256).toString(16).padStart(2, '0')}`
    const end = flood((loop, turn) => enrol(ATTACKER, macOf(loop, turn)))
    let probes = 0
    await floodIsRefused(() => enrol(ATTACKER, macOf(255, (probes += 1))))
    const answer = await enrol(NEWCOMER, '02:00:00:00:fe:01')
    expect(answer.status).toBe(202)
    expect(answer.tookMs).toBeLessThan(withinMs)
    expect((await end()).get(202) ?? 0).toBeLessThanOrEqual(11)
  })

  test('that enrol with wrong keys, a station gets its code', async () => {
    const end = flood((loop, turn) => enrol('127.0.0.5', '02:00:00:00:fd:01', `clé-${loop}-${turn}`))
    await floodIsRefused(() => enrol('127.0.0.5', '02:00:00:00:fd:01', 'clé'))
    const answer = await enrol(NEWCOMER, '02:00:00:00:fe:02')
    expect(answer.status).toBe(202)
    expect(answer.tookMs).toBeLessThan(withinMs)
    await end()
  })
})
