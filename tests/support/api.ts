import type { RunningServer } from './server.ts'

export interface Answer<T = Record<string, unknown>> {
  status: number
  headers: Headers
  body: T
}

export interface Api {
  readonly token: string
  get: <T>(path: string) => Promise<T>
  post: <T>(path: string, body?: unknown) => Promise<T>
  put: <T>(path: string, body: unknown) => Promise<T>
}

/** Sends one JSON request and returns the answer, whatever its status. */
export async function request<T = Record<string, unknown>>(
  url: string,
  init: RequestInit = {},
): Promise<Answer<T>> {
  const response = await fetch(url, init)
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : {}) as T }
}

/**
 * Signs in and calls the REST API as that operator. An answer other than 2xx throws. When the token has expired, it
 * signs in again.
 */
export async function signIn(server: Pick<RunningServer, 'url' | 'username' | 'password'>): Promise<Api> {
  let token = await freshToken(server)
  let renewal: Promise<string> | undefined

  /** Signs in again, once for all calls that overlap. */
  async function renew(refused: string): Promise<string> {
    if (token !== refused) return token
    renewal ??= freshToken(server).finally(() => (renewal = undefined))
    token = await renewal
    return token
  }

  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const used = token
    let answer = await send<T>(server.url, method, path, body, used)
    if (answer.status === 401) answer = await send<T>(server.url, method, path, body, await renew(used))
    return successOf(answer, method, path)
  }
  return {
    get token() {
      return token
    },
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    put: (path, body) => call('PUT', path, body),
  }
}

async function freshToken({
  url,
  username,
  password,
}: Pick<RunningServer, 'url' | 'username' | 'password'>): Promise<string> {
  const path = '/api/token/'
  const answer = await send<{ access: string }>(url, 'POST', path, { username, password })
  return successOf(answer, 'POST', path).access
}

function send<T>(url: string, method: string, path: string, body: unknown, token?: string) {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
  if (body !== undefined) headers['content-type'] = 'application/json'
  return request<T>(url + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) })
}

function successOf<T>({ status, body }: Answer<T>, method: string, path: string): T {
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`)
  return body
}
