import type { BootToken, Enrolled, PairingPending, PairingRequest, Station } from '@escale/protocol'
import type { MqttClient } from 'mqtt'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestApp, type Answer, type TestApp } from '../../testing/app.ts'

vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 })

const SECOND = 1_000
const MINUTE = 60 * SECOND
const VICTIM_MAC = '02:00:00:00:00:01'

let test: TestApp
beforeEach(async () => {
  test = await startTestApp()
})
afterEach(() => test.stop())

interface Asked {
  key?: string
  mac?: string
  pairingSecret?: string
  headers?: Record<string, string>
  ip?: string
}
/** Requests an identity as an agent does. */
const enrol = ({ key = test.siteKey, mac = VICTIM_MAC, pairingSecret, headers, ip }: Asked = {}) =>
  test.call<Enrolled & PairingPending & { code: string }>('POST', '/api/postes/enrol/', {
    token: null,
    headers,
    ip,
    body: {
      enrolmentKey: key,
      macAddress: mac,
      hostname: 'h',
      os: 'Debian 13',
      agentVersion: '1',
      ...(pairingSecret === undefined ? {} : { pairingSecret }),
    },
  })
const isRefused = ({ status, body }: Answer<{ code: string }>) =>
  expect({ status, code: body.code }).toEqual({ status: 403, code: 'enrolment-refused' })
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})
const closed = (client: MqttClient) => new Promise<void>((resolve) => client.once('close', resolve))
const connect = async (id: string, secret: string, clientId = id) =>
  (await test.mqtt(id, secret, { clientId })).client
const isShut = (id: string, secret: string) => expect(connect(id, secret)).rejects.toMatchObject({ code: 4 })
const bootToken = (id: string, call: object = {}) =>
  test.call<BootToken & { code: string }>('POST', `/api/postes/${id}/boot_token/`, call)
const waiting = async () =>
  (await test.done<{ results: PairingRequest[] }>('GET', '/api/postes/demandes/')).results

/** A station with its secret, after its first enrolment with the site key. */
async function victim(id = 'pc-victime') {
  await test.createStation(id, { macAddress: VICTIM_MAC })
  const { body } = await enrol()
  expect(body.stationId).toBe(id)
  return { id, secret: body.mqttSecret }
}
/** The station publishes its presence, as an agent does. */
async function online(id: string, secret: string) {
  const client = await connect(id, secret)
  const presence = {
    ...{ online: true, cause: 'birth', bootId: 'b', connectionSeq: 1, agentVersion: '1', hostname: 'h' },
    ...{ os: 'o', ipAddress: '127.0.0.1', macAddress: VICTIM_MAC },
  }
  await client.publishAsync(`escale/v1/stations/${id}/presence`, JSON.stringify(presence), { qos: 1 })
  return client
}

describe('a station that waits to be accepted', () => {
  it('stops waiting when a station with its MAC address is registered', async () => {
    await enrol()
    const { body } = await enrol()
    expect(await waiting()).toMatchObject([{ macAddress: VICTIM_MAC, pairingCode: body.pairingCode }])
    await test.createStation('pc-victime', { macAddress: VICTIM_MAC })
    const enrolled = await enrol({ pairingSecret: body.pairingSecret })
    expect(enrolled.body.stationId).toBe('pc-victime')
    expect(await waiting()).toEqual([])
  })
})

describe('a station that renews its secret', () => {
  it('keeps its old connection until it connects with the new secret', async () => {
    const { id, secret } = await victim()
    const old = await connect(id, secret, `${id}:old`)
    const { body } = await enrol({ key: 'any', headers: basic(id, secret) })
    expect(body).toMatchObject({ stationId: id })
    expect(body.mqttSecret).not.toBe(secret)
    const stillOld = await connect(id, secret, `${id}:still`)
    expect(old.connected && stillOld.connected).toBe(true)
    const ends = [closed(old), closed(stillOld)]
    const fresh = await connect(id, body.mqttSecret, `${id}:new`)
    await Promise.all(ends)
    expect(fresh.connected).toBe(true)
    await isShut(id, secret)
    expect(
      (await test.call('POST', `/api/postes/${id}/heartbeat/`, { headers: basic(id, secret) })).status,
    ).toBe(401)
  })

  it('can use its old secret for 60 seconds at most', async () => {
    const { id, secret } = await victim()
    const old = await connect(id, secret)
    await enrol({ key: 'any', headers: basic(id, secret) })
    test.advanceClock(59 * SECOND)
    const late = await connect(id, secret, `${id}:late`)
    expect(old.connected).toBe(true)
    const ends = [closed(old), closed(late)]
    test.advanceClock(2 * SECOND)
    await Promise.all(ends)
    await isShut(id, secret)
  })

  it('can repeat the request with its old secret when the answer was lost', async () => {
    const { id, secret } = await victim()
    for (let lost = 0; lost < 3; lost += 1) {
      expect((await enrol({ key: 'any', headers: basic(id, secret) })).status).toBe(200)
    }
    expect((await connect(id, secret)).connected).toBe(true)
    const { body } = await enrol({ key: 'any', headers: basic(id, secret) })
    expect((await connect(id, body.mqttSecret, `${id}:new`)).connected).toBe(true)
    await isShut(id, secret)
  })
})

describe('a station is disconnected when', () => {
  it('an admin revokes its secret: then it must be accepted again, despite its known MAC address', async () => {
    const { id, secret } = await victim()
    const { body: token } = await bootToken(id)
    const client = await connect(id, secret)
    const end = closed(client)
    const operator = await test.tokenOf('operator')
    expect((await test.call('POST', `/api/postes/${id}/revoquer/`, { token: operator })).status).toBe(403)
    await test.done('POST', `/api/postes/${id}/revoquer/`)
    await end
    await isShut(id, secret)
    const rest = await test.call('POST', `/api/postes/${id}/heartbeat/`, { headers: basic(id, secret) })
    expect(rest.status).toBe(401)
    isRefused(await enrol({ key: token.bootToken }))
    const { status, body: pending } = await enrol({ headers: basic(id, secret) })
    expect(status).toBe(202)
    const [request] = await waiting()
    await test.done('POST', `/api/postes/demandes/${request!.id}/accepter/`, { stationId: id })
    const { body } = await enrol({ pairingSecret: pending.pairingSecret })
    expect((await connect(id, body.mqttSecret)).connected).toBe(true)
    expect(await test.journal('action=station.secret_revoked')).toMatchObject([
      { stationId: id, actor: { label: 'admin' } },
    ])
  })

  it('it is deleted, also by another server', async () => {
    for (const isElsewhere of [false, true]) {
      const { id, secret } = await victim()
      const client = await connect(id, secret)
      const end = closed(client)
      const app = isElsewhere ? await test.startAnother() : undefined
      await test.call('DELETE', `/api/postes/${id}/`, app ? { app } : {})
      await end
      await isShut(id, secret)
    }
  })
})

describe('a boot token', () => {
  it('enrols its station once, with a new secret, whatever the station had before', async () => {
    const { id, secret } = await victim()
    const { status, headers, body } = await bootToken(id)
    expect(status).toBe(201)
    expect(headers['cache-control']).toBe('no-store')
    expect(body).toMatchObject({ stationId: id, macAddress: VICTIM_MAC })
    expect(JSON.stringify(await test.db.models.bootTokens.findAll())).not.toContain(body.bootToken)
    const { body: enrolled } = await enrol({ key: body.bootToken })
    expect(enrolled.stationId).toBe(id)
    expect(enrolled.mqttSecret).not.toBe(secret)
    isRefused(await enrol({ key: body.bootToken }))
    expect((await connect(id, enrolled.mqttSecret)).connected).toBe(true)
  })

  it('is valid for ten minutes, and replaced by the next one', async () => {
    const { id } = await victim()
    const { body: first } = await bootToken(id)
    const { body: second } = await bootToken(id)
    isRefused(await enrol({ key: first.bootToken }))
    test.advanceClock(10 * MINUTE)
    isRefused(await enrol({ key: second.bootToken }))
  })

  it('is given only to admins and netboot accounts, for a station with a MAC address', async () => {
    const { id } = await victim()
    const { id: bare } = await test.createStation('pc-sans-mac')
    expect(await bootToken(bare)).toMatchObject({ status: 409, body: { code: 'mac-address-missing' } })
    expect(await bootToken('pc-inconnu')).toMatchObject({ status: 404 })
    for (const [role, status] of [
      ['viewer', 403],
      ['operator', 403],
      ['admin', 201],
    ] as const) {
      expect((await bootToken(id, { token: await test.tokenOf(role) })).status, role).toBe(status)
      const account = { id: `auto-${role}`, kind: 'automation', label: 'Automate', role }
      const { secret } = await test.done<{ secret: string }>('POST', '/api/comptes/', account)
      expect((await bootToken(id, { headers: basic(account.id, secret) })).status, role).toBe(403)
    }
    const account = { id: 'netboot', kind: 'netboot', label: 'Netboot' }
    const { secret } = await test.done<{ secret: string }>('POST', '/api/comptes/', account)
    const headers = basic('netboot', secret)
    expect((await bootToken(id, { headers })).status).toBe(201)
    const [record] = await test.journal('actor=netboot')
    expect(record).toMatchObject({
      action: 'station.boot_token_issued',
      actor: { type: 'account' },
      stationId: id,
    })
    // A netboot account may do nothing else, over REST or on the bus.
    expect((await test.call('GET', '/api/postes/', { headers })).status).toBe(403)
    expect((await test.call('POST', `/api/postes/${id}/heartbeat/`, { headers })).status).toBe(403)
    await isShut('netboot', secret)
  })

  it('is not given after the station’s secret was revoked, until it is accepted again', async () => {
    const { id } = await victim()
    await test.done('POST', `/api/postes/${id}/revoquer/`)
    expect(await bootToken(id)).toMatchObject({ status: 409, body: { code: 'station-revoked' } })
    const { body: pending } = await enrol()
    const [request] = await waiting()
    await test.done('POST', `/api/postes/demandes/${request!.id}/accepter/`, { stationId: id })
    expect((await bootToken(id)).status).toBe(409)
    expect((await enrol({ pairingSecret: pending.pairingSecret })).status).toBe(200)
    expect((await bootToken(id)).status).toBe(201)
  })

  it('is neither given nor accepted while the station is online', async () => {
    const { id, secret } = await victim()
    const { body } = await bootToken(id)
    await online(id, secret)
    expect(await bootToken(id)).toMatchObject({ status: 409, body: { code: 'station-online' } })
    isRefused(await enrol({ key: body.bootToken }))
  })
})

describe('the site key', () => {
  it('is shown only to admins, and the old one is refused by all servers when it was replaced', async () => {
    const shown = () => test.done<{ enrolmentKey: string }>('GET', '/api/parametres/cle_enrolement/')
    expect((await shown()).enrolmentKey).toBe(test.siteKey)
    const operator = await test.tokenOf('operator')
    expect((await test.call('GET', '/api/parametres/cle_enrolement/', { token: operator })).status).toBe(403)
    const app = await test.startAnother()
    const url = '/api/parametres/cle_enrolement/renouveler/'
    const { body } = await test.call<{ enrolmentKey: string }>('POST', url, { app })
    expect(await shown()).toEqual(body)
    expect(test.keptSiteKey()).toBe(body.enrolmentKey)
    isRefused(await enrol())
    expect((await enrol({ key: body.enrolmentKey })).status).toBe(202)
    const records = JSON.stringify(await test.journal('action=site_key.rotated'))
    expect(records).toContain('admin')
    const kept = JSON.stringify(await test.db.models.siteKeys.findAll())
    for (const text of [records, kept]) expect(text).not.toContain(body.enrolmentKey)
  })

  it('stays valid after a restart, whatever key is in the data folder', async () => {
    const url = '/api/parametres/cle_enrolement/renouveler/'
    const { enrolmentKey } = await test.done<{ enrolmentKey: string }>('POST', url)
    await test.restart()
    isRefused(await enrol())
    expect((await enrol({ key: enrolmentKey })).status).toBe(202)
    expect(test.keptSiteKey()).toBe(enrolmentKey)
  })
})

describe('an intruder gets no other station’s secret', () => {
  const strangeMac = '02:00:00:00:00:66'

  it('with the boot token on the kernel’s command line: used, expired, or with another MAC address', async () => {
    const { id } = await victim()
    await test.createStation('pc-autre', { macAddress: strangeMac })
    const { body: used } = await bootToken(id)
    isRefused(await enrol({ key: used.bootToken, mac: strangeMac }))
    await enrol({ key: used.bootToken })
    isRefused(await enrol({ key: used.bootToken }))
    const { body: expired } = await bootToken(id)
    test.advanceClock(11 * MINUTE)
    isRefused(await enrol({ key: expired.bootToken }))
    isRefused(await enrol({ key: expired.bootToken, headers: basic(id, expired.bootToken) }))
  })

  it('with the site key and a forged MAC address of a station, offline or online: the request waits and is visible', async () => {
    const { id, secret } = await victim()
    for (const isOnline of [false, true]) {
      if (isOnline) await online(id, secret)
      for (const mac of [VICTIM_MAC, VICTIM_MAC.replaceAll(':', '-').toUpperCase()]) {
        const { status, body } = await enrol({ mac })
        expect(status).toBe(202)
        expect(JSON.stringify(body)).not.toContain('mqttSecret')
      }
    }
    expect(await waiting()).toMatchObject([{ macAddress: VICTIM_MAC }])
    expect((await connect(id, secret, `${id}:here`)).connected).toBe(true)
  })

  it('with the credentials of its own station', async () => {
    const { id } = await victim()
    const own = await test.createStation('pc-a-moi')
    const { basic: headers } = await test.enrol(own.id)
    const { body } = await enrol({ headers, mac: VICTIM_MAC })
    expect(body.stationId).toBe(own.id)
    expect((await bootToken(id, { headers })).status).toBe(403)
    for (const url of [`/api/postes/${id}/revoquer/`, '/api/comptes/', '/api/parametres/cle_enrolement/'])
      expect((await test.call('GET', url, { headers })).status).not.toBe(200)
  })

  it('with another pairing secret, or by a request after an operator has accepted', async () => {
    const { body: genuine } = await enrol()
    const { body: forger } = await enrol({ mac: strangeMac })
    const request = (await waiting()).find(({ macAddress }) => macAddress === VICTIM_MAC)
    expect(request).toMatchObject({ pairingCode: genuine.pairingCode })
    await test.done('POST', `/api/postes/demandes/${request!.id}/accepter/`, {
      stationId: 'pc-1',
      label: 'Un',
    })
    const stolen = [forger.pairingSecret, genuine.pairingCode, '']
    for (const pairingSecret of stolen.slice(0, 1)) {
      const { status } = await enrol({ mac: strangeMac, pairingSecret })
      expect(status).toBe(202)
    }
    // A forged MAC address without the secret starts another request, and does not affect the genuine one.
    for (const pairingSecret of stolen) expect((await enrol({ pairingSecret })).status).toBe(202)
    expect(await enrol({ pairingSecret: genuine.pairingSecret })).toMatchObject({
      status: 200,
      body: { stationId: 'pc-1' },
    })
    expect((await enrol({ pairingSecret: genuine.pairingSecret })).status).toBe(202)
    expect((await test.done<Station>('GET', '/api/postes/pc-1/')).online).toBe(false)
  })

  it('by being accepted after another one of the same address: only the last accepted request gets the secret', async () => {
    const { body: lost } = await enrol()
    const accept = async (input: object) => {
      const [request] = await waiting()
      await test.done('POST', `/api/postes/demandes/${request!.id}/accepter/`, {
        stationId: 'pc-1',
        ...input,
      })
    }
    await accept({ label: 'Un' })
    const { body: fresh } = await enrol()
    expect(await waiting()).toHaveLength(1)
    await accept({})
    expect((await enrol({ pairingSecret: lost.pairingSecret })).status).toBe(202)
    expect((await enrol({ pairingSecret: fresh.pairingSecret })).status).toBe(200)
  })

  it('with a request that an operator has refused', async () => {
    const { body } = await enrol()
    const [request] = await waiting()
    await test.done('POST', `/api/postes/demandes/${request!.id}/refuser/`)
    const again = await enrol({ pairingSecret: body.pairingSecret })
    expect(again.status).toBe(202)
    expect(again.body.pairingSecret).not.toBe(body.pairingSecret)
    expect(await test.journal('action=station.pairing_refused')).toHaveLength(1)
  })

  it('by guessing keys: they are refused, logged and blocked, including the right one', async () => {
    for (let i = 0; i < 30; i += 1) isRefused(await enrol({ key: `clé-${i}`, ip: '192.0.2.66' }))
    const right = await enrol({ ip: '192.0.2.66' })
    expect(right).toMatchObject({ status: 429, body: { code: 'enrolment-throttled' } })
    expect(Number(right.headers['retry-after'])).toBeGreaterThan(0)
    expect((await enrol({ ip: '192.0.2.67' })).status).toBe(202)
    const records = await test.journal('action=station.enrolment_refused')
    expect(records).toHaveLength(30)
    expect(records[0]).toMatchObject({ level: 'warning', ip: '192.0.2.66' })
    expect(JSON.stringify(records)).not.toContain('clé-')
  })
})

describe('a flood of pairing requests', () => {
  const macOf = (i: number) => `02:00:00:00:01:${i.toString(16).padStart(2, '0')}`
  const full = { status: 429, body: { code: 'pairing-full' } }

  it('is limited to a hundred, does not affect waiting requests, and ends after 15 minutes', async () => {
    const ask = (i: number) => enrol({ mac: macOf(i), ip: `192.0.2.${Math.floor(i / 10)}` })
    const { body: first } = await ask(0)
    for (let i = 1; i < 100; i += 1) expect((await ask(i)).status).toBe(202)
    for (let i = 100; i < 110; i += 1) expect(await ask(i)).toMatchObject(full)
    const again = await enrol({ mac: macOf(0), pairingSecret: first.pairingSecret })
    expect(again.body).toMatchObject({ pairingCode: first.pairingCode })
    expect((await test.done<{ count: number }>('GET', '/api/postes/demandes/')).count).toBe(100)
    test.advanceClock(15 * MINUTE + SECOND)
    expect((await ask(100)).status).toBe(202)
    expect(await waiting()).toHaveLength(1)
  })

  it.each([
    ['one address', '192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['one IPv6 network', '2001:db8:0:1::1', '2001:db8:0:1:ffff::2', '2001:db8:0:2::1'],
  ])('from %s uses at most ten places, and one for each MAC address', async (_name, one, same, other) => {
    for (let i = 0; i < 10; i += 1) expect((await enrol({ mac: macOf(i), ip: one })).status).toBe(202)
    expect(await enrol({ mac: macOf(10), ip: same })).toMatchObject(full)
    expect((await enrol({ mac: macOf(9), ip: same })).status).toBe(202)
    expect(await waiting()).toHaveLength(10)
    expect((await enrol({ mac: macOf(10), ip: other })).status).toBe(202)
  })

  it('does not replace the request of the station whose MAC address it forges', async () => {
    const { body: honest } = await enrol({ mac: VICTIM_MAC, ip: '192.0.2.7' })
    expect((await enrol({ mac: VICTIM_MAC, ip: '192.0.2.66' })).status).toBe(202)
    const again = await enrol({ mac: VICTIM_MAC, ip: '192.0.2.7', pairingSecret: honest.pairingSecret })
    expect(again.body.pairingCode).toBe(honest.pairingCode)
  })

  it('that is blocked neither waits for writes nor delays them', async () => {
    for (let i = 0; i < 30; i += 1) await enrol({ key: `clé-${i}`, ip: '192.0.2.66' })
    const begun = Promise.withResolvers<undefined>()
    const ended = Promise.withResolvers<undefined>()
    const writer = test.db.write(() => {
      begun.resolve(undefined)
      return ended.promise
    })
    await begun.promise
    expect((await enrol({ ip: '192.0.2.66' })).status).toBe(429)
    ended.resolve(undefined)
    await writer
  })
})

describe('a MAC address that belongs to no single machine', () => {
  const NOBODY = ['00:00:00:00:00:00', 'FF-FF-FF-FF-FF-FF', '0100.5e00.0001']

  it.each(NOBODY)(
    '%s: two agents are distinguished by their secrets, and no station gets the address',
    async (mac) => {
      const first = (await enrol({ mac })).body
      const second = (await enrol({ mac })).body
      expect(second.pairingCode).not.toBe(first.pairingCode)
      const again = (await enrol({ mac, pairingSecret: first.pairingSecret })).body
      expect(again.pairingCode).toBe(first.pairingCode)
      const [request] = (await waiting()).filter(({ pairingCode }) => pairingCode === first.pairingCode)
      await test.done('POST', `/api/postes/demandes/${request?.id}/accepter`, {
        stationId: 'pc-sans-carte',
        label: 'Sans carte',
      })
      expect(await test.station('pc-sans-carte')).not.toHaveProperty('macAddress')
      expect((await enrol({ mac, pairingSecret: second.pairingSecret })).body.pairingCode).toBe(
        second.pairingCode,
      )
      expect((await enrol({ mac, pairingSecret: first.pairingSecret })).body.stationId).toBe('pc-sans-carte')
    },
  )

  it.each(NOBODY)('%s is refused when an operator gives it to a station', async (macAddress) => {
    const answer = await test.call('POST', '/api/postes/', { body: { id: 'pc-1', label: '1', macAddress } })
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: '/macAddress' }] } })
  })
})
