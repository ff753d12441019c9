import type { Language, TokenPair } from '@escale/protocol'
import { ApiError, errorOf } from './problem.ts'
import type { Tokens } from './tokens.ts'

export type Query = Record<string, string | number | boolean | undefined>

export interface ApiClient {
  get: <T>(path: string, query?: Query) => Promise<T>
  post: <T>(path: string, body?: object) => Promise<T>
  put: <T>(path: string, body: object) => Promise<T>
  delete: (path: string) => Promise<void>
  signIn: (username: string, password: string) => Promise<void>
  /** Forgets the tokens at once, and has the server end them too. */
  signOut: () => Promise<void>
  /** A token that the server has not refused yet; renewed first if there is none. */
  accessToken: () => Promise<string>
  /** A new token. Calls that overlap share one exchange, since each exchange spends the refresh token. */
  renew: () => Promise<string>
}

export interface ApiClientOptions {
  /** Origin of the server; empty in a browser, where it is the page's own. */
  baseUrl?: string
  tokens: Tokens
  language: () => Language
  /** The server no longer takes our tokens: the operator has to sign in again. */
  onSessionLost: () => void
}

interface Call {
  query?: Query
  body?: object
  token?: string
}

/**
 * The server's REST side. A call that meets an expired token renews it and is sent again.
 * @throws ApiError `network` when the server cannot be reached, else with the server's code.
 */
export function createApiClient({
  baseUrl = '',
  tokens,
  language,
  onSessionLost,
}: ApiClientOptions): ApiClient {
  let renewal: Promise<string> | undefined

  async function send(method: string, path: string, { query, body, token }: Call): Promise<Response> {
    try {
      return await fetch(baseUrl + path + queryText(query), {
        method,
        headers: {
          Accept: 'application/json, application/problem+json',
          'Accept-Language': language(),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: 'no-store',
        credentials: 'omit',
      })
    } catch (cause) {
      throw new ApiError({ code: 'network', message: '' }, { cause })
    }
  }

  async function call<T>(method: string, path: string, options: Call = {}): Promise<T> {
    const token = await accessToken()
    let response = await send(method, path, { ...options, token })
    if (response.status === 401) {
      response = await send(method, path, { ...options, token: await tokenAfter(token) })
      if (response.status === 401) loseSession()
    }
    if (!response.ok) throw await errorOf(response)
    return (response.status === 204 ? undefined : await response.json()) as T
  }

  /** A call that was under way while another one renewed must not spend a second refresh token. */
  async function tokenAfter(refused: string): Promise<string> {
    const current = tokens.access()
    return current !== undefined && current !== refused ? current : renew()
  }

  async function accessToken(): Promise<string> {
    return tokens.access() ?? (await renew())
  }

  function renew(): Promise<string> {
    renewal ??= exchange().finally(() => {
      renewal = undefined
    })
    return renewal
  }

  async function exchange(): Promise<string> {
    const refresh = tokens.refresh()
    if (refresh === undefined) {
      loseSession()
      throw new ApiError({ code: 'unauthenticated', message: '', status: 401 })
    }
    const response = await send('POST', '/api/token/refresh/', { body: { refresh } })
    if (!response.ok) return await otherTabsToken(refresh, response)
    const pair = (await response.json()) as TokenPair
    // Signed out while the answer was on its way: it must not sign in again.
    if (tokens.refresh() === refresh) tokens.keep(pair)
    return pair.access
  }

  /** A duplicated tab may have rotated our token first and told us the new one. */
  async function otherTabsToken(refresh: string, refusal: Response): Promise<string> {
    const access = tokens.access()
    if (tokens.refresh() !== refresh && access !== undefined) return access
    if (refusal.status === 401) loseSession()
    throw await errorOf(refusal)
  }

  function loseSession(): void {
    tokens.forget()
    onSessionLost()
  }

  return {
    get: (path, query) => call('GET', path, { query }),
    post: (path, body) => call('POST', path, { body: body ?? {} }),
    put: (path, body) => call('PUT', path, { body }),
    delete: (path) => call('DELETE', path),
    async signIn(username, password) {
      const response = await send('POST', '/api/token/', { body: { username, password } })
      if (!response.ok) throw await errorOf(response)
      tokens.forget()
      tokens.keep((await response.json()) as TokenPair)
    },
    async signOut() {
      const refresh = tokens.refresh()
      tokens.forget()
      if (refresh === undefined) return
      const response = await send('POST', '/api/token/revoke/', { body: { refresh } })
      if (!response.ok) throw await errorOf(response)
    },
    accessToken,
    renew,
  }
}

function queryText(query: Query | undefined): string {
  const entries = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== '')
  if (entries.length === 0) return ''
  return `?${new URLSearchParams(entries.map(([key, value]) => [key, String(value)])).toString()}`
}
