import Fastify from 'fastify'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from '../testing/app.ts'
import { registerClientAddress } from './client-address.ts'

const PROXIES = '127.0.0.1, 192.168.7.0/24, fd00::1'

/** The server's view of a caller with this socket address and these headers. */
async function seen(remoteAddress: string, headers: Record<string, string | string[]>, proxies = PROXIES) {
  const app = Fastify()
  registerClientAddress(app, proxies)
  app.get('/', ({ ip, host, protocol, isFromThisMachine }) => ({ ip, host, protocol, isFromThisMachine }))
  const answer = await app.inject({
    url: '/',
    remoteAddress,
    headers: { host: 'localhost:3000', ...headers },
  })
  return answer.json<{ ip: string; host: string; protocol: string; isFromThisMachine: boolean }>()
}

describe('the address of a caller', () => {
  it.each([
    ['192.168.1.9', '192.168.1.9'],
    ['::ffff:192.168.1.9', '192.168.1.9'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:DB8:0::9', '2001:db8::9'],
  ])('on the socket %s is %s', async (socket, ip) => {
    expect((await seen(socket, {})).ip).toBe(ip)
  })

  it.each([
    ['10.0.0.5', '10.0.0.5'],
    ['10.0.0.5:1234', '10.0.0.5'],
    ['[2001:db8::5]:1234', '2001:db8::5'],
    ['[2001:db8::5]', '2001:db8::5'],
    ['2001:DB8::5', '2001:db8::5'],
    ['::ffff:10.0.0.5', '10.0.0.5'],
    ['[::ffff:10.0.0.5]:1234', '10.0.0.5'],
    ['  10.0.0.5  ', '10.0.0.5'],
    ['10.0.0.5,', '10.0.0.5'],
    ['203.0.113.7, 10.0.0.5', '10.0.0.5'],
    ['10.0.0.5, 192.168.7.3', '10.0.0.5'],
    ['10.0.0.5 ,192.168.7.3:8080,  [fd00::1]:443', '10.0.0.5'],
    ['forged, 10.0.0.5:1, ::ffff:192.168.7.3', '10.0.0.5'],
    ['192.168.7.4, 192.168.7.3', '192.168.7.4'],
  ])('forwarded by trusted proxies as %j is %s', async (forwarded, ip) => {
    for (const socket of ['127.0.0.1', '::ffff:192.168.7.2', 'fd00::1'])
      expect((await seen(socket, { 'x-forwarded-for': forwarded })).ip, socket).toBe(ip)
  })

  it.each(['', ' ', ',', 'unknown', '10.0.0.5:99999999', '10.0.0', '[::1', '10.0.0.5 10.0.0.6', '_hidden'])(
    'forwarded as the invalid %j is that of the proxy',
    async (forwarded) => {
      expect((await seen('192.168.7.2', { 'x-forwarded-for': forwarded })).ip).toBe('192.168.7.2')
    },
  )

  it('is read from several header lines as from one', async () => {
    const headers = { 'x-forwarded-for': ['203.0.113.7', '10.0.0.5:80', '192.168.7.3'] }
    expect((await seen('127.0.0.1', headers)).ip).toBe('10.0.0.5')
  })

  it('is never taken from an untrusted sender, nor are host and scheme', async () => {
    const headers = {
      'x-forwarded-for': '10.0.0.5',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
    }
    const own = { host: 'localhost:3000', protocol: 'http' }
    expect(await seen('192.168.1.9', headers)).toMatchObject({ ip: '192.168.1.9', ...own })
    expect(await seen('127.0.0.1', headers, '')).toMatchObject({ ip: '127.0.0.1', ...own })
    const told = { ip: '10.0.0.5', host: 'evil.example', protocol: 'https' }
    expect(await seen('127.0.0.1', headers)).toMatchObject(told)
  })
})

describe('a program on this machine', () => {
  it.each(['localhost:3000', '127.0.0.1:3000', '[::1]:3000'])('that calls %s is recognised', async (host) => {
    for (const socket of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
      expect((await seen(socket, { host })).isFromThisMachine, socket).toBe(true)
  })

  it.each([
    ['10.0.0.5', {}],
    ['127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }],
    ['127.0.0.1', { 'x-forwarded-for': '' }],
    ['127.0.0.1', { 'x-forwarded-proto': 'https' }],
    ['127.0.0.1', { 'x-real-ip': '127.0.0.1' }],
    ['127.0.0.1', { forwarded: 'for=127.0.0.1' }],
    ['127.0.0.1', { via: '1.1 proxy' }],
    ['127.0.0.1', { 'cf-connecting-ip': '203.0.113.7' }],
    ['127.0.0.1', { 'true-client-ip': '203.0.113.7' }],
    ['127.0.0.1', { 'x-original-forwarded-for': '203.0.113.7' }],
    ['127.0.0.1', { host: 'escale.example' }],
  ])('is not recognised from %s with %j', async (socket, headers) => {
    for (const proxies of ['', PROXIES])
      expect((await seen(socket, headers, proxies)).isFromThisMachine).toBe(false)
  })
})

describe('behind a proxy', () => {
  let test: TestApp
  beforeAll(async () => {
    test = await startTestApp({ trustedProxies: '127.0.0.1' })
  })
  afterAll(() => test.stop())

  const from = (address: string) => ({ 'x-forwarded-for': address })

  it('a station is recognised by its address, whatever port the proxy adds', async () => {
    const { id } = await test.createStation('pc-proxied', { ipAddress: '10.0.0.5' })
    const { basic } = await test.enrol(id)
    await test.done('PUT', `/api/postes/${id}`, { label: id, ipAddress: '10.0.0.5' })
    const beat = (address: string) =>
      test.call('POST', `/api/postes/${id}/heartbeat`, { headers: { ...basic, ...from(address) } })
    for (const address of ['10.0.0.5', '10.0.0.5:1234', '::ffff:10.0.0.5', '[::ffff:10.0.0.5]:9'])
      expect((await beat(address)).status, address).toBe(200)
    expect(await beat('10.0.0.6:1234')).toMatchObject({ status: 403, body: { code: 'wrong-address' } })
    expect(await beat('unknown')).toMatchObject({ status: 403, body: { code: 'wrong-address' } })
  })

  it('wrong codes are counted per address, whatever port the proxy adds', async () => {
    const tryFrom = (address: string) =>
      test.call('POST', '/api/sessions/validate_code', {
        body: { code: 'AAAA-AAAA' },
        headers: from(address),
      })
    for (let port = 1; port <= 30; port += 1) await tryFrom(`10.0.0.7:${port}`)
    expect((await tryFrom('10.0.0.7:31')).status).toBe(429)
    expect((await tryFrom('10.0.0.8:31')).status).toBe(404)
  })

  it('metrics are not public, and the journal has the caller’s address', async () => {
    const metrics = await test.app.http.inject({ url: '/metrics', headers: from('203.0.113.7') })
    expect(metrics.statusCode).toBe(401)
    const body = { username: 'admin', password: 'wrong' }
    await test.call('POST', '/api/token', { body, token: null, headers: from('[2001:db8::9]:55') })
    expect(await test.journal('action=auth.login_failed')).toMatchObject([{ ip: '2001:db8::9' }])
  })

  it('a client of MQTT over WebSocket has the address that the proxy forwards', async () => {
    const { http } = await test.listen()
    const options = { clientId: 'pc-x', username: 'pc-x', password: 'wrong', reconnectPeriod: 0 }
    const headers = from('10.0.0.9:4711')
    await expect(
      connectAsync(`ws://127.0.0.1:${http}/mqtt`, { ...options, wsOptions: { headers } }),
    ).rejects.toThrow()
    const refused = test.lines.find(({ msg }) => msg === 'mqtt connection refused')
    expect(refused).toMatchObject({ address: '10.0.0.9' })
  })
})
