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

/** One JSON request, whatever the answer. */
export async function request<T = Record<string, unknown>>(
  url: string,
  init: RequestInit = {},
): Promise<Answer<T>> {
  const response = await fetch(url, init)
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : {}) as T }
}

/** Signs in and calls the REST API as that operator; any answer but 2xx throws. */
export async function signIn(server: Pick<RunningServer, 'url' | 'username' | 'password'>): Promise<Api> {
  const call = async <T>(method: string, path: string, body: unknown, token?: string): Promise<T> => {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
    if (body !== undefined) headers['content-type'] = 'application/json'
    const answer = await request<T>(server.url + path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    })
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const { username, password } = server
  const { access } = await call<{ access: string }>('POST', '/api/token/', { username, password })
  return {
    token: access,
    get: (path) => call('GET', path, undefined, access),
    post: (path, body) => call('POST', path, body, access),
    put: (path, body) => call('PUT', path, body, access),
  }
}
