import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestApp, type TestApp } from '../../testing/app.ts'
import { createPasswordQueue } from '../../crypto/password-queue.ts'

const PASSWORD = 'brouette girafe lundi tango'
const MINUTE = 60_000

let test: TestApp

vi.setConfig({ testTimeout: 60_000, hookTimeout: 20_000 })
beforeAll(async () => {
  test = await startTestApp()
  const body = { username: 'desk', role: 'operator', password: PASSWORD }
  await test.done('POST', '/api/operateurs/', body)
})
afterAll(() => test.stop())

const statusOf = async (username: string, ip: string, password = 'wrong') =>
  (await test.call('POST', '/api/token/', { body: { username, password }, token: null, ip })).status
const signIn = (ip: string) => statusOf('desk', ip, PASSWORD)

describe('guessing passwords', () => {
  it.each(['192.0.2.7', '2001:db8:0:1::7'])(
    'is blocked after ten tries with different usernames from %s',
    async (ip) => {
      const statuses: number[] = []
      for (let name = 0; name < 12; name += 1) statuses.push(await statusOf(`name-${name}`, ip))
      expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429])
    },
  )

  it('is blocked for all addresses of one IPv6 network', async () => {
    expect(await signIn('2001:db8:0:1:ffff::1')).toBe(429)
    expect(await signIn('2001:db8:0:2::1')).toBe(200)
  })

  it('stays blocked when another operator signs in from the same address', async () => {
    const ip = '192.0.2.20'
    for (let name = 0; name < 9; name += 1) expect(await statusOf(`other-${name}`, ip)).toBe(401)
    expect(await signIn(ip)).toBe(200)
    expect(await statusOf('other-9', ip)).toBe(401)
    expect(await statusOf('other-10', ip)).toBe(429)
    // An operator who works at that address can still sign in.
    expect(await signIn(ip)).toBe(200)
  })

  it('of one username from many addresses is blocked for all of them, but not at the operator’s own address', async () => {
    test.advanceClock(30 * MINUTE)
    const desk = '192.0.2.30'
    expect(await signIn(desk)).toBe(200)
    for (let host = 0; host < 4; host += 1) expect(await statusOf('desk', `198.51.100.${host}`)).toBe(401)
    const statuses: number[] = []
    for (let host = 4; host < 12; host += 1) statuses.push(await statusOf('desk', `198.51.100.${host}`))
    expect(statuses).toContain(429)
    await test.restart()
    expect(await signIn(desk)).toBe(200)
  })

  it('is counted together for all spellings of the username in upper and lower case', async () => {
    const ip = '192.0.2.40'
    for (const typed of ['desk', 'Desk', 'DESK', 'dEsk', ' desk']) expect(await statusOf(typed, ip)).toBe(401)
    expect(await statusOf('desk', ip)).toBe(429)
  })
})

describe('the queue of password checks', () => {
  const work = () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    return { promise, done: () => resolve('checked') }
  }
  const stranger = (group: string) => ({ group, isKnown: false })

  it('accepts two checks of one address, four in total, and one more for an address that signed in recently', async () => {
    const queue = createPasswordQueue()
    const { promise, done } = work()
    const check = (group: string, isKnown = false) => queue.check({ group, isKnown }, () => promise)
    const held = [check('a'), check('a')]
    expect(await check('a')).toBeUndefined()
    held.push(check('b'), check('c'))
    expect(await check('d')).toBeUndefined()
    held.push(check('desk', true))
    expect(await check('desk-2', true)).toBeUndefined()
    done()
    expect(await Promise.all(held)).toEqual(Array<string>(5).fill('checked'))
    expect(await check('d')).toBe('checked')
  })

  it('serves unknown addresses in turn, and known addresses first', async () => {
    const queue = createPasswordQueue()
    const order: string[] = []
    const { promise, done } = work()
    const first = queue.check(stranger('a'), () => promise)
    const note = (group: string) => () => Promise.resolve(order.push(group))
    const rest = [queue.check(stranger('a'), note('a')), queue.check(stranger('b'), note('b'))]
    await queue.check({ group: 'desk', isKnown: true }, note('desk'))
    done()
    await Promise.all([first, ...rest])
    expect(order).toEqual(['desk', 'b', 'a'])
  })

  it('frees its place when a check fails', async () => {
    const queue = createPasswordQueue()
    for (let turn = 0; turn < 6; turn += 1)
      await expect(queue.check(stranger('a'), () => Promise.reject(new Error('no memory')))).rejects.toThrow()
    expect(await queue.check(stranger('a'), () => Promise.resolve(1))).toBe(1)
  })
})
