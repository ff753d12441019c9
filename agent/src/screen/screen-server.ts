import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { Type, type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ScreenView } from '../core/index.ts'
import { createPage, type Page } from './page.ts'

const MAX_BODY_BYTES = 4_096
const MAX_STREAMS = 8
const KEEP_ALIVE_MS = 15_000

/** Source: admin recipe; the screen needs no image from elsewhere and no style but its own file. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

export interface ScreenServerOptions {
  /** 0: any free one. */
  port: number
  pageDir: string
  view: () => ScreenView
  onCode: (code: string) => void
  onEnd: () => void
  onCallStaff: (reason?: string) => void
  onDismiss: (noticeId: string) => void
  log: Logger
}

export interface ScreenServer {
  url: string
  /** Tells the page what has changed, if anything has. */
  refresh: () => void
  stop: () => Promise<void>
}

/** Runs an action when the body fits it; says whether it did. */
type Action = (body: unknown) => boolean

function action<S extends TSchema>(schema: S, run: (body: Static<S>) => void): Action {
  const validator = Compile(schema)
  return (body) => {
    if (!validator.Check(body)) return false
    run(body)
    return true
  }
}

/** The station's screen on loopback: the built page, the state as a stream, and the visitor's few actions. */
export async function createScreenServer(options: ScreenServerOptions): Promise<ScreenServer> {
  const { view, log } = options
  const page = await createPage(options.pageDir)
  const streams = new Set<ServerResponse>()
  const actions = new Map<string, Action>([
    [
      '/api/code',
      action(Type.Object({ code: Type.String({ maxLength: 64 }) }), ({ code }) => options.onCode(code)),
    ],
    ['/api/end', action(Type.Object({}), () => options.onEnd())],
    [
      '/api/call-staff',
      action(Type.Object({ reason: Type.Optional(Type.String({ maxLength: 500 })) }), ({ reason }) =>
        options.onCallStaff(reason),
      ),
    ],
    [
      '/api/dismiss',
      action(Type.Object({ id: Type.String({ maxLength: 64 }) }), ({ id }) => options.onDismiss(id)),
    ],
  ])
  let lastKey = ''

  const push = () => {
    const frame = `data: ${JSON.stringify(view())}\n\n`
    for (const stream of streams) stream.write(frame)
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((err: unknown) => {
      log.error({ err }, 'the screen failed to answer')
      if (!response.headersSent) refuse(response, 500)
      else response.destroy()
    })
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 10_000

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    if (!isOurs(request, portOf(server.address()))) {
      refuse(response, 403)
      return
    }
    if (path === '/api/state' && request.method === 'GET') {
      serveState(request, response)
      return
    }
    const found = actions.get(path)
    if (found !== undefined) {
      if (request.method !== 'POST') {
        refuse(response, 405, { allow: 'POST' })
        return
      }
      return runAction(found, request, response)
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      refuse(response, 405, { allow: 'GET' })
      return
    }
    servePage(page, path, response, request.method === 'HEAD')
  }

  const serveState = (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.accept?.includes('text/event-stream') !== true) {
      response.writeHead(200, { ...HEADERS, 'content-type': 'application/json; charset=utf-8' })
      response.end(JSON.stringify(view()))
      return
    }
    if (streams.size >= MAX_STREAMS) {
      refuse(response, 503)
      return
    }
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream; charset=utf-8' })
    response.write(`retry: 1000\ndata: ${JSON.stringify(view())}\n\n`)
    streams.add(response)
    response.once('close', () => streams.delete(response))
  }

  const keepAlive = setInterval(push, KEEP_ALIVE_MS)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })

  return {
    url: `http://127.0.0.1:${portOf(server.address())}/`,
    refresh: () => {
      const key = changeKeyOf(view())
      if (key === lastKey) return
      lastKey = key
      push()
    },
    stop: () => {
      clearInterval(keepAlive)
      for (const stream of streams) stream.end()
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

/** What makes a view another one: everything but the time that runs, which the page counts by itself. */
function changeKeyOf({ countdown, suspended, entry, goingDown, ...view }: ScreenView): string {
  const running = countdown === undefined ? undefined : { ...countdown, remainingMs: 0 }
  const waiting = { ...entry, retryAfterSeconds: 0 }
  return JSON.stringify([view, running, suspended?.remainingSeconds, waiting, goingDown?.op])
}

const portOf = (address: string | AddressInfo | null) =>
  typeof address === 'object' && address !== null ? address.port : 0

/**
 * A web page that the visitor has open must not drive the station: another site's page carries its own Origin,
 * and a name that it made to point at loopback shows in Host. A program without a browser may read, not act.
 */
function isOurs({ headers, method }: IncomingMessage, port: number): boolean {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (headers.host === undefined || !hosts.includes(headers.host)) return false
  if (headers.origin !== undefined) return hosts.some((host) => headers.origin === `http://${host}`)
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  return method === 'GET' || method === 'HEAD'
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...HEADERS, ...headers, 'content-length': 0 })
  response.end()
}

async function runAction(found: Action, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.headers['content-type']?.split(';')[0] !== 'application/json') {
    refuse(response, 415)
    return
  }
  const text = await readBody(request)
  if (text === undefined) {
    refuse(response, 413, { connection: 'close' })
    return
  }
  const body = parse(text)
  refuse(response, found(body) ? 204 : 422)
}

/** The body, or undefined when it is larger than any of ours. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function servePage(page: Page, path: string, response: ServerResponse, isHead: boolean): void {
  const file = page.get(path === '/' ? '/index.html' : path)
  if (file === undefined) {
    refuse(response, 404)
    return
  }
  response.writeHead(200, { ...HEADERS, 'content-type': file.type, 'content-length': file.bytes.length })
  response.end(isHead ? undefined : file.bytes)
}
