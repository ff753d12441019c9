import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Log, Problem, User } from '@escale/protocol'
import { startTestApp, type TestApp } from '../testing/app.ts'

interface Page<T> {
  count: number
  next: string | null
  previous: string | null
  results: T[]
}

let test: TestApp
beforeAll(async () => {
  test = await startTestApp()
})
afterAll(() => test.stop())

const pathOf = (address: string) => address.replace(/^http:\/\/[^/]+/, '')

/** Every page of a list, by following `next`; `between` happens after each. */
async function follow<T>(
  url: string,
  between = async () => {},
  ask = { method: 'GET', body: undefined as unknown },
) {
  const pages: Page<T>[] = []
  for (
    let next: string | null = url;
    next !== null;
    next = pages.at(-1)!.next && pathOf(pages.at(-1)!.next!)
  ) {
    const { status, body } = await test.call<Page<T>>(
      ask.method,
      next,
      ask.body === undefined ? {} : { body: ask.body },
    )
    expect(status, next).toBe(200)
    pages.push(body)
    await between()
  }
  return pages
}

describe('a page of a list', () => {
  /** More than a megabyte of UTF-8, in a list that would otherwise fit into one page. */
  const notes = '\u{1f600}'.repeat(2_000)
  let users: User[]
  beforeAll(async () => {
    users = []
    for (let i = 0; i < 210; i += 1)
      users.push(await test.createUser({ lastName: `N${String(i).padStart(3, '0')}`, notes }))
  })

  it('is never larger than a megabyte: it is shortened, and the next page continues there', async () => {
    const url = '/api/utilisateurs?pageSize=200&ordering=lastName'
    const response = await test.app.http.inject({
      url,
      headers: { authorization: `Bearer ${await test.tokenOf('viewer')}` },
    })
    expect(Buffer.byteLength(response.body)).toBeLessThan(1_100_000)
    expect(Buffer.byteLength(response.body)).toBeGreaterThan(800_000)

    const pages = await follow<User>(url)
    expect(pages.flatMap(({ results }) => results.map(({ id }) => id))).toEqual(users.map(({ id }) => id))
    expect(pages.map(({ count }) => count)).toEqual(pages.map(() => 210))
    expect(pages.length).toBeGreaterThan(2)
    const back = pathOf(pages[1]!.previous!)
    expect((await test.done<Page<User>>('GET', back)).results[0]!.id).toBe(users[0]!.id)
    expect(pages.at(-1)!.next).toBeNull()
  })

  it('leaves out the first rows as `skip` says, and refuses a skip that is not below the page size', async () => {
    const ids = async (query: string) =>
      (await test.done<Page<User>>('GET', `/api/utilisateurs?ordering=lastName&${query}`)).results.map(
        ({ id }) => id,
      )
    expect(await ids('pageSize=10&page=2&skip=4')).toEqual(users.slice(14, 20).map(({ id }) => id))
    for (const query of ['pageSize=10&skip=10', 'skip=25', 'skip=-1', 'skip=x', 'skip=200&pageSize=200'])
      expect(await test.call<Problem>('GET', `/api/utilisateurs?${query}`), query).toMatchObject({
        status: 400,
        body: { code: 'invalid-query', errors: [{ pointer: '/skip' }] },
      })
  })
})

describe('the pages of the journal', () => {
  const write = async () => {
    for (let i = 0; i < 3; i += 1)
      await test.call('POST', '/api/sessions/validate_code', { body: { code: 'ZZZZ-ZZZZ' } })
  }

  it.each([
    ['/api/logs?pageSize=7'],
    ['/api/logs?pageSize=7&ordering=id'],
    ['/api/logs?pageSize=7&ordering=-action'],
    ['/api/logs?pageSize=7&ordering=level'],
    ['/api/logs?pageSize=7&search=code'],
    ['/api/logs/recent?pageSize=7'],
    ['/api/logs/recent?pageSize=7&ordering=id'],
    ['/api/logs/search?pageSize=7', { action: 'code.rejected' }],
  ])('neither repeat nor omit a row while others write: %s', async (url, body?: object) => {
    await write()
    await write()
    const ask = { method: body ? 'POST' : 'GET', body }
    const pages = await follow<Log>(url, write, ask)
    const ids = pages.flatMap(({ results }) => results.map(({ id }) => id))
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toHaveLength(pages[0]!.count)
    expect(new Set(pages.map(({ count }) => count)).size).toBe(1)
    expect(pages.length).toBeGreaterThan(1)
  })

  it('lead back to the same rows', async () => {
    const first = await test.done<Page<Log>>('GET', '/api/logs?pageSize=5')
    await write()
    const second = await test.done<Page<Log>>('GET', pathOf(first.next!))
    const again = await test.done<Page<Log>>('GET', pathOf(second.previous!))
    expect(again.results).toEqual(first.results)
  })

  it('show the current journal by default', async () => {
    const { results } = await test.done<Page<Log>>('GET', '/api/logs?pageSize=1')
    await test.createStation('pc-newest')
    const after = await test.done<Page<Log>>('GET', '/api/logs?pageSize=1')
    expect(after.results[0]!.id).toBeGreaterThan(results[0]!.id)
    expect((await test.call('GET', '/api/logs?upToId=x')).status).toBe(400)
    expect((await test.done<Page<Log>>('GET', '/api/logs?upToId=0')).count).toBe(0)
  })
})
