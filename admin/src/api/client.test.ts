import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createApi, type Api } from './client.ts'
import { openStore } from '../browser/storage.ts'
import { createTokens } from './tokens.ts'

interface Seen {
  method: string
  url: string
  bearer: string
  language: string
  body: string
}

const closings: (() => void)[] = []
afterEach(() => {
  closings.splice(0).forEach((close) => {
    close()
  })
})

/** A server with one valid access token and one valid refresh token, which rotates both. */
async function startServer(answer?: (seen: Seen, response: ServerResponse) => boolean) {
  const seen: Seen[] = []
  const valid = { access: 'access-1', refresh: 'refresh-1', serial: 1 }
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const one: Seen = {
        method: request.method ?? '',
        url: request.url ?? '',
        bearer: request.headers.authorization ?? '',
        language: request.headers['accept-language'] ?? '',
        body,
      }
      seen.push(one)
      if (answer?.(one, response)) return
      if (one.url === '/api/token/refresh/') refresh(one, response)
      else if (one.bearer !== `Bearer ${valid.access}`) refuse(response, 401, 'unauthenticated')
      else reply(response, 200, { url: one.url })
    })
  })

  function refresh(one: Seen, response: ServerResponse): void {
    if ((JSON.parse(one.body) as { refresh: string }).refresh !== valid.refresh) {
      refuse(response, 401, 'unauthenticated')
      return
    }
    valid.serial += 1
    valid.access = `access-${valid.serial}`
    valid.refresh = `refresh-${valid.serial}`
    reply(response, 200, { access: valid.access, refresh: valid.refresh })
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closings.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, valid }
}

const reply = (response: ServerResponse, status: number, body: object) => {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

const refuse = (response: ServerResponse, status: number, code: string, more: object = {}) => {
  response
    .writeHead(status, { 'Content-Type': 'application/problem+json' })
    .end(
      JSON.stringify({ type: 'about:blank', title: code, status, detail: '', instance: '/', code, ...more }),
    )
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

function memoryStorage(): Storage {
  const items = new Map<string, string>()
  return {
    get length() {
      return items.size
    },
    clear: () => {
      items.clear()
    },
    getItem: (key) => items.get(key) ?? null,
    key: () => null,
    removeItem: (key) => items.delete(key),
    setItem: (key, value) => items.set(key, value),
  }
}

function clientOf(baseUrl: string, pair = { access: 'access-1', refresh: 'refresh-1' }) {
  const tokens = createTokens(openStore(memoryStorage))
  tokens.keep(pair)
  const lost: string[] = []
  const { api, signIn } = createApi({
    baseUrl,
    tokens,
    language: () => 'en',
    onSessionLost: () => lost.push('lost'),
  })
  return { api, signIn, tokens, lost }
}

/** The server of these tests answers with the address of the request. */
const readStation = async (api: Api, id: string) =>
  (await api.stations.read({ id })) as unknown as Pick<Seen, 'url'>

describe('the api client', () => {
  it('renews once when many calls get 401 for an expired token, and repeats each call', async () => {
    const server = await startServer()
    const { api, tokens, lost } = clientOf(server.baseUrl, { access: 'expired', refresh: 'refresh-1' })
    const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => readStation(api, String(n))))
    expect(answers.map((answer) => answer.url)).toEqual([1, 2, 3, 4, 5].map((n) => `/api/postes/${n}/`))
    expect(server.seen.filter((one) => one.url === '/api/token/refresh/')).toHaveLength(1)
    expect(tokens.refresh()).toBe('refresh-2')
    expect(lost).toEqual([])
  })

  it('does not use a second refresh token for a call that got 401 before another call renewed', async () => {
    let release: (() => void) | undefined
    const server = await startServer((one, response) => {
      if (one.url !== '/api/postes/slow/' || one.bearer !== 'Bearer expired') return false
      release = () => {
        refuse(response, 401, 'unauthenticated')
      }
      return true
    })
    const { api } = clientOf(server.baseUrl, { access: 'expired', refresh: 'refresh-1' })
    const slow = readStation(api, 'slow')
    await readStation(api, 'fast')
    await expect.poll(() => release).toBeDefined()
    release?.()
    expect(await slow).toEqual({ url: '/api/postes/slow/' })
    expect(server.seen.filter((one) => one.url === '/api/token/refresh/')).toHaveLength(1)
  })

  it('loses the session when the refresh token is refused', async () => {
    const server = await startServer()
    const { api, tokens, lost } = clientOf(server.baseUrl, { access: 'expired', refresh: 'stolen' })
    await expect(api.stations.list()).rejects.toMatchObject({ code: 'unauthenticated', status: 401 })
    expect(tokens.refresh()).toBeUndefined()
    expect(lost).toEqual(['lost'])
  })

  it('keeps the session when the server cannot be reached', async () => {
    const server = await startServer()
    const { api, tokens, lost } = clientOf(server.baseUrl)
    closings.splice(0).forEach((close) => {
      close()
    })
    await expect(api.stations.list()).rejects.toMatchObject({ code: 'network' })
    expect(tokens.refresh()).toBe('refresh-1')
    expect(lost).toEqual([])
  })

  it('does not sign in again when the operator signed out during the renewal', async () => {
    const server = await startServer((one) => {
      if (one.url === '/api/token/refresh/') tokens.forget()
      return false
    })
    const { signIn, tokens } = clientOf(server.baseUrl, { access: 'expired', refresh: 'refresh-1' })
    await signIn.renew()
    expect([tokens.access(), tokens.refresh()]).toEqual([undefined, undefined])
  })

  it('uses the token of a duplicated tab that renewed first', async () => {
    const server = await startServer((one, response) => {
      if (one.url !== '/api/token/refresh/') return false
      tokens.keep({ access: 'access-1', refresh: 'refresh-of-the-other-tab' })
      refuse(response, 401, 'unauthenticated')
      return true
    })
    const { api, tokens, lost } = clientOf(server.baseUrl, { access: 'expired', refresh: 'refresh-0' })
    expect(await api.stations.list()).toEqual({ url: '/api/postes/' })
    expect(lost).toEqual([])
  })

  it('reports the server’s errors for each field, and when to try again', async () => {
    const fields = [{ pointer: '/email', message: 'Not an address.' }]
    const server = await startServer((_one, response) => {
      response.setHeader('Retry-After', '30')
      refuse(response, 422, 'invalid-body', { errors: fields })
      return true
    })
    const { api } = clientOf(server.baseUrl)
    await expect(api.users.create({ firstName: '', lastName: '', email: 'x' })).rejects.toMatchObject({
      code: 'invalid-body',
      fields,
      retryAfterSeconds: 30,
    })
  })

  it('reports an answer that is not a problem document as unreadable', async () => {
    const server = await startServer((_one, response) => {
      response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad gateway</h1>')
      return true
    })
    await expect(clientOf(server.baseUrl).api.stations.list()).rejects.toMatchObject({
      code: 'unreadable',
      status: 502,
    })
  })

  it('sends the language, the query fields that have a value, and an empty object for an action without a body', async () => {
    const server = await startServer()
    const { api } = clientOf(server.baseUrl)
    await api.stations.list({ search: 'été & co', page: 1, state: undefined, location: '' })
    await api.sessions.suspend({ id: '1' })
    expect(server.seen.map(({ url, body, language }) => [url, body, language])).toEqual([
      ['/api/postes/?search=%C3%A9t%C3%A9+%26+co&page=1', '', 'en'],
      ['/api/sessions/1/suspend/', '{}', 'en'],
    ])
  })
})

describe('signing out', () => {
  it('removes the tokens at once, and sends the refresh token to the server', async () => {
    const server = await startServer(({ url }, response) => {
      reply(response, 200, {})
      return url === '/api/token/revoke/'
    })
    const { signIn, tokens } = clientOf(server.baseUrl)
    const refresh = tokens.refresh()
    const revoked = signIn.signOut()
    expect(tokens.refresh()).toBeUndefined()
    await revoked
    expect(server.seen.at(-1)).toMatchObject({
      url: '/api/token/revoke/',
      body: JSON.stringify({ refresh }),
    })
    await signIn.signOut()
    expect(server.seen).toHaveLength(1)
  })
})

describe('tokens in a duplicated tab', () => {
  it('follow the renewal of their shared token, and no other renewal', async () => {
    const [here, there] = [new BroadcastChannel('test.tokens'), new BroadcastChannel('test.tokens')]
    closings.push(() => {
      here.close()
      there.close()
    })
    const mine = createTokens(openStore(memoryStorage), here)
    const storage = memoryStorage()
    createTokens(openStore(() => storage)).keep({ access: 'a-1', refresh: 'r-1' })
    const copy = createTokens(
      openStore(() => storage),
      there,
    )
    mine.keep({ access: 'a-1', refresh: 'r-1' })
    mine.keep({ access: 'a-2', refresh: 'r-2' })
    await expect.poll(() => copy.refresh()).toBe('r-2')
    expect(copy.access()).toBe('a-2')
  })
})
