import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { pino } from 'pino'
import { enrol } from './enrolment.ts'

const closers: (() => void)[] = []
afterEach(() => closers.splice(0).forEach((close) => close()))

const identity = { stationId: 'pc-01', mqttSecret: 's', mqttUrl: 'mqtt://127.0.0.1:1' }
const pairing = { pairingCode: '4827', pairingSecret: 'p', retryAfterSeconds: 0 }
const request = { enrolmentKey: 'k', macAddress: 'm', hostname: 'h', os: 'o', agentVersion: '0' }

/** Answers one request after the other, and keeps what was asked. */
async function serverThatAnswers(answers: [status: number, body: unknown][]) {
  const asked: unknown[] = []
  const shown: (string | undefined)[] = []
  const server = createServer((incoming, response) => {
    shown.push(incoming.headers.authorization)
    void read(incoming).then((body) => {
      asked.push(body)
      const [status, answer] = answers[Math.min(asked.length, answers.length) - 1] ?? [500, '']
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  return { asked, shown, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function read(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

const enrolAt = (
  url: string,
  onPairingCode: (code: string) => void = () => undefined,
  signal?: AbortSignal,
  log = pino({ level: 'silent' }),
) =>
  enrol({
    server: url,
    request: () => Promise.resolve(request),
    onPairingCode,
    log,
    signal: signal ?? new AbortController().signal,
  })

describe('enrolment', () => {
  it('ends with the identity that the server gives, whatever more it tells', async () => {
    const { url } = await serverThatAnswers([[200, { ...identity, news: true }]])
    expect(await enrolAt(url)).toMatchObject(identity)
  })

  it('shows the pairing code and asks again with its secret until an operator has accepted', async () => {
    const codes: string[] = []
    const { url, asked } = await serverThatAnswers([
      [202, pairing],
      [202, pairing],
      [200, identity],
    ])
    expect(await enrolAt(url, (code) => codes.push(code))).toMatchObject(identity)
    expect(codes).toEqual(['4827', '4827'])
    expect(asked).toEqual([request, { ...request, pairingSecret: 'p' }, { ...request, pairingSecret: 'p' }])
  })

  it.each([
    [403, 'enrolment-refused', /check the enrolment key/],
    [429, 'enrolment-throttled', /too many wrong enrolment keys/],
    [429, 'pairing-full', /accept or refuse those that wait/],
    [422, 'invalid-body', /check --mac/],
    [502, undefined, /look at the log of the server/],
  ])('says what to do about a refusal: %s %s', async (status, code, advice) => {
    const { url } = await serverThatAnswers([
      [status, { code }],
      [200, identity],
    ])
    const lines: string[] = []
    await enrolAt(url, undefined, undefined, pino({}, { write: (line: string) => lines.push(line) }))
    expect(lines.join()).toMatch(advice)
  })

  it.each<[string, number, unknown]>([
    ['a refusal', 403, { code: 'enrolment-refused' }],
    ['an answer that is none', 200, { hello: 'world' }],
    ['a failure', 500, {}],
  ])('tries again after %s', async (_, status, body) => {
    const { url, asked } = await serverThatAnswers([
      [status, body],
      [200, identity],
    ])
    expect(await enrolAt(url)).toMatchObject(identity)
    expect(asked).toHaveLength(2)
  })

  it('says in two languages that a port which hangs up on plain HTTP may be encrypted', async () => {
    const server = createTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => server.close())
    const aborter = new AbortController()
    const lines: string[] = []
    const log = pino(
      {},
      {
        write: (line: string) => {
          lines.push(line)
          aborter.abort()
        },
      },
    )
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await expect(enrolAt(url, undefined, aborter.signal, log)).rejects.toThrow('abort')
    expect(lines.join()).toMatch(/donnez https.* · .*give https/)
  })

  it('shows who it is to a server that may know it under another address', async () => {
    const { url, shown } = await serverThatAnswers([[200, identity]])
    const known = { stationId: 'pc-01', mqttSecret: 'old' }
    await enrol({
      server: url,
      known,
      request: () => Promise.resolve(request),
      onPairingCode: () => undefined,
      log: pino({ level: 'silent' }),
      signal: new AbortController().signal,
    })
    await enrolAt(url)
    expect(shown).toEqual([`Basic ${Buffer.from('pc-01:old').toString('base64')}`, undefined])
  })

  it('stops when it is told to, also between two attempts', async () => {
    const aborter = new AbortController()
    const { url } = await serverThatAnswers([[202, { ...pairing, retryAfterSeconds: 300 }]])
    const enrolling = enrolAt(url, () => setImmediate(() => aborter.abort()), aborter.signal)
    await expect(enrolling).rejects.toThrow('abort')
  })
})
