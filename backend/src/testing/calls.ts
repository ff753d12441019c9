import type { OperatorRole } from '@escale/protocol'
import type { LightMyRequestResponse } from 'fastify'
import type { App } from '../app.ts'
import { readDescription, type Description, type Document } from './description.ts'

const HOST = '127.0.0.1'
/** An access token of tests is renewed after this time; the server's are good for twice as long. */
const TOKEN_MS = 300_000

export interface Call {
  body?: unknown
  /** Access token; the admin's by default, `null` sends none. */
  token?: string | null
  headers?: Record<string, string>
  ip?: string
  /** Another server than the one that the test started. */
  app?: Pick<App, 'http'>
}

export interface Answer<T = Record<string, unknown>> {
  status: number
  headers: LightMyRequestResponse['headers']
  body: T
}

interface Server {
  app(): App
  nowMs(): number
  tokenOf(role: OperatorRole): Promise<string>
}

/** Calls the REST API through the real application, without a network. */
export function createCaller({ app, nowMs, tokenOf }: Server) {
  let adminToken = { token: '', untilMs: -Infinity }

  async function bearer(token: string | null | undefined): Promise<Record<string, string>> {
    if (token === null) return {}
    if (token === undefined && adminToken.untilMs < nowMs())
      adminToken = { token: await tokenOf('admin'), untilMs: nowMs() + TOKEN_MS }
    return { authorization: `Bearer ${token ?? adminToken.token}` }
  }

  /** One call, whatever the answer. */
  async function call<T = Record<string, unknown>>(
    method: string,
    url: string,
    { body, token, headers = {}, ip = HOST, app: asked = app() }: Call = {},
  ): Promise<Answer<T>> {
    const auth = headers['authorization'] === undefined ? await bearer(token) : {}
    const isText = typeof body === 'string' || Buffer.isBuffer(body)
    const response = await asked.http.inject({
      method: method as 'GET',
      url,
      headers: {
        ...auth,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: isText ? body : JSON.stringify(body) }),
      remoteAddress: ip,
    })
    const parsed = (response.body === '' ? {} : JSON.parse(response.body)) as T
    const answer = { status: response.statusCode, headers: response.headers, body: parsed }
    requireDescribed(app(), method, url, answer)
    return answer
  }

  /** The body of the answer to one call. @throws Error when the call fails */
  async function done<T>(method: string, url: string, body?: unknown): Promise<T> {
    const answer = await call<T>(method, url, body === undefined ? {} : { body })
    if (answer.status >= 300)
      throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  return { call, done }
}

let description: Description | undefined

/** Every answer that a test gets must be described by the API's own description. */
function requireDescribed({ http }: App, method: string, url: string, answer: Answer<unknown>): void {
  // The plugin's type covers all versions of OpenAPI; ours is 3.1.
  description ??= readDescription(http.swagger() as unknown as Document)
  const operation = description.find(method, url)
  const faults = operation ? description.faultsOf(operation, answer) : []
  if (faults.length > 0) throw new Error(`${method} ${url}: ${faults.join('; ')}`)
}
