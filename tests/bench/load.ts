import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import autocannon from 'autocannon'
import { ROOT } from '../support/spawned.ts'

export const CONNECTIONS = 10

export interface Call {
  path: string
  /** Sent as JSON by POST. */
  body?: unknown
}

export interface Load {
  url: string
  token: string
  /** Sent in turn. Each connection begins at another place of the list. */
  calls: readonly Call[]
  /** How long to run. Give either this or `amount`, the number of requests in total. */
  seconds?: number
  amount?: number
  connections?: number
  /** Requests per second in total. By default as many as possible. */
  rate?: number
}

export interface Measured {
  perSecond: number
  p99Ms: number
  requests: number
}

/** Sends requests to a server over several connections at once. @throws Error when a request fails */
export async function load({ url, token, calls, ...rest }: Load): Promise<Measured> {
  const { seconds, amount, connections = CONNECTIONS } = rest
  let opened = 0
  const startedAtMs = performance.now()
  const result = await autocannon({
    url,
    connections,
    ...(amount === undefined ? { duration: seconds ?? 5 } : { amount }),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    setupClient(client) {
      const from = Math.floor((calls.length / connections) * opened)
      opened += 1
      client.setRequests([...calls.slice(from), ...calls.slice(0, from)].map(requestOf))
    },
  })
  const tookSeconds = (performance.now() - startedAtMs) / 1_000
  const requests = result['2xx']
  const failed = result.non2xx + result.errors + result.timeouts
  if (failed > 0) {
    const { errors, timeouts, statusCodeStats } = result
    const answers = JSON.stringify({ errors, timeouts, ...statusCodeStats })
    throw new Error(`${calls[0]?.path ?? ''}: ${failed} requests failed: ${answers}`)
  }
  const perSecond = amount === undefined ? result.requests.average : requests / tookSeconds
  return { perSecond, p99Ms: result.latency.p99, requests }
}

/**
 * Asks so many times a second, evenly, whether or not the earlier requests are answered. (autocannon sends all requests
 * of a second at its beginning.)
 * @returns the slowest hundredth, in milliseconds from the instant at which each request was due
 * @throws Error when a request fails
 */
export async function pacedP99Ms(
  { url, token, calls }: Pick<Load, 'url' | 'token' | 'calls'>,
  { rate, seconds }: { rate: number; seconds: number },
): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const startedAtMs = performance.now()
  const took = Array.from({ length: rate * seconds }, async (_, index) => {
    const dueAtMs = startedAtMs + (index / rate) * 1_000
    await pause(Math.max(0, dueAtMs - performance.now()))
    const call = calls[index % calls.length] as Call
    const { path, ...init } = requestOf(call)
    const answer = await fetch(`${url}${path}`, { ...init, headers })
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`${call.path}: ${answer.status}`)
    return performance.now() - dueAtMs
  })
  const sorted = (await Promise.all(took)).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0
}

const requestOf = ({ path, body }: Call): autocannon.Request =>
  body === undefined ? { method: 'GET', path } : { method: 'POST', path, body: JSON.stringify(body) }

/** How many statements a server has sent to its database; undefined if the server does not count them. */
export async function statementsOf(url: string): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const count = /^escale_database_statements_total (\S+)$/m.exec(text)?.[1]
  return count === undefined ? undefined : Number(count)
}

/** A server with nothing but Fastify, in its own process. */
export async function startBareServer() {
  const child = fork(join(ROOT, 'tests/bench/bare-server.ts'))
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return {
    /** @returns the address that answers with this body from now on */
    async answering(body: string): Promise<string> {
      const ready = once(child, 'message')
      child.send({ body })
      await ready
      return `http://127.0.0.1:${port}`
    },
    stop: () => void child.kill(),
  }
}
