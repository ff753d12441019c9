import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { signIn } from '../support/api.ts'
import { placesOf } from './room.ts'
import { createProgress, parseStationCount } from './terminal.ts'

describe('the number of stations', () => {
  it('is twelve by default', () => {
    expect(parseStationCount([])).toEqual({ count: 12 })
    for (const count of [1, 30, 200]) expect(parseStationCount([String(count)])).toEqual({ count })
  })

  it.each([
    ['0'],
    ['-3'],
    ['201'],
    ['1e2'],
    ['12.5'],
    ['douze'],
    [''],
    ['--help'],
    ['3', '4'],
    ['٣'],
    ['0x10'],
  ])('is refused with an explanation when it is %j', (...asked) => {
    const answer = parseStationCount(asked)
    expect(answer).toHaveProperty('refusal')
    expect('refusal' in answer && answer.refusal).toMatch(/de 1 à 200.*\n.*from 1 to 200/)
  })

  it('does not change that each station has its own name and address', () => {
    for (const count of [1, 2, 12, 200]) {
      const places = placesOf(count)
      for (const field of ['id', 'label', 'macAddress'] as const)
        expect(new Set(places.map((place) => place[field])).size, field).toBe(count)
    }
    expect(new Set(placesOf(12).map(({ location }) => location)).size).toBe(3)
  })
})

describe('progress output', () => {
  const outputOf = (isTTY: boolean) => {
    const lines: string[] = []
    const progress = createProgress({ isTTY, write: (text: string) => lines.push(text) > 0 })
    for (let done = 1; done <= 8; done += 1) progress('Postes', done, 8)
    return lines
  }

  it('is one line in a terminal, and a line for each quarter in a file', () => {
    expect(outputOf(true).join('').split('\n')).toHaveLength(2)
    expect(outputOf(true)).toHaveLength(8)
    expect(outputOf(false)).toEqual(['  Postes 1/8\n', '  Postes 2/8\n', '  Postes 4/8\n', '  Postes 6/8\n', '  Postes 8/8\n'])
  })
}) // prettier-ignore

describe('the API client of the demo', () => {
  let close: (() => void) | undefined
  afterEach(() => close?.())

  it('signs in again when its token has expired, once for all calls that overlap', async () => {
    let [signIns, good] = [0, '']
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      const isSignIn = request.url === '/api/token/'
      if (isSignIn) good = `token-${(signIns += 1)}`
      const isGood = isSignIn || request.headers.authorization === `Bearer ${good}`
      response.writeHead(isGood ? 200 : 401, { 'content-type': 'application/json' })
      response.end(JSON.stringify(isSignIn ? { access: good } : { isGood }))
    }
    const server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    close = () => server.close()
    const { port } = server.address() as AddressInfo
    const api = await signIn({ url: `http://127.0.0.1:${port}`, username: 'admin', password: 'x' })
    expect(await api.get('/api/postes/')).toEqual({ isGood: true })
    good = 'another'
    expect(await Promise.all([1, 2, 3].map(() => api.post('/api/postes/')))).toEqual(
      [1, 2, 3].map(() => ({ isGood: true })),
    )
    expect(signIns).toBe(2)
    expect(api.token).toBe('token-2')
  })
})
