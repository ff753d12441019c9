import { createClient, restApi, type ApiRequest, type Client, type Language } from '@escale/protocol'
import { ApiError, errorOf } from './problem.ts'
import type { Tokens } from './tokens.ts'

/** A function for each endpoint of the server: `api.sessions.addTime({ id }, { minutes: 10 })`. */
export type Api = Client<typeof restApi>

/** How this page is signed in. */
export interface SignIn {
  signIn: (username: string, password: string) => Promise<void>
  /** Forgets the tokens at once, then tells the server to end them. */
  signOut: () => Promise<void>
  /** A token that the server has not refused yet; renewed first if there is none. */
  accessToken: () => Promise<string>
  /** A new token. Calls that overlap share one exchange, because each exchange uses up the refresh token. */
  renew: () => Promise<string>
}

export interface ApiOptions {
  /** Origin of the server; empty in a browser, where it is the page's own. */
  baseUrl?: string
  tokens: Tokens
  language: () => Language
  /** The server no longer accepts our tokens: the operator has to sign in again. */
  onSessionLost: () => void
}

/**
 * The server's REST API as this page calls it. A call that is refused because its token expired renews the token
 * and is sent again.
 * @throws ApiError `network` when the server cannot be reached, else with the server's code
 */
export function createApi(options: ApiOptions): { api: Api; signIn: SignIn } {
  const { tokens } = options
  const { auth } = createClient({ auth: restApi.auth }, async (request) =>
    answerOf(await sendRequest(options, request)),
  )
  let renewal: Promise<string> | undefined

  async function send(request: ApiRequest): Promise<unknown> {
    const token = await accessToken()
    let response = await sendRequest(options, request, token)
    if (response.status === 401) {
      response = await sendRequest(options, request, await tokenAfter(token))
      if (response.status === 401) loseSession()
    }
    return answerOf(response)
  }

  /** Another call may have renewed the token meanwhile: then no second refresh token is used up. */
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
    try {
      const pair = await auth.refresh({ refresh })
      // After a sign-out meanwhile, the answer must not sign in again.
      if (tokens.refresh() === refresh) tokens.keep(pair)
      return pair.access
    } catch (error) {
      // A duplicated tab may have exchanged our token first and sent us the new one.
      const access = tokens.access()
      if (tokens.refresh() !== refresh && access !== undefined) return access
      if (error instanceof ApiError && error.status === 401) loseSession()
      throw error
    }
  }

  function loseSession(): void {
    tokens.forget()
    options.onSessionLost()
  }

  return {
    api: createClient(restApi, send),
    signIn: {
      async signIn(username, password) {
        const pair = await auth.login({ username, password })
        tokens.forget()
        tokens.keep(pair)
      },
      async signOut() {
        const refresh = tokens.refresh()
        tokens.forget()
        if (refresh !== undefined) await auth.revoke({ refresh })
      },
      accessToken,
      renew,
    },
  }
}

async function sendRequest(
  { baseUrl = '', language }: ApiOptions,
  { method, path, query, body }: ApiRequest,
  token?: string,
): Promise<Response> {
  try {
    return await fetch(baseUrl + path + queryText(query), {
      method,
      headers: {
        Accept: 'application/json, application/problem+json',
        'Accept-Language': language(),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
    })
  } catch (cause) {
    throw new ApiError({ code: 'network', message: '' }, { cause })
  }
}

async function answerOf(response: Response): Promise<unknown> {
  if (!response.ok) throw await errorOf(response)
  return response.status === 204 ? undefined : await response.json()
}

function queryText(query: ApiRequest['query']): string {
  const entries = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== '')
  if (entries.length === 0) return ''
  return `?${new URLSearchParams(entries.map(([key, value]) => [key, String(value)])).toString()}`
}
