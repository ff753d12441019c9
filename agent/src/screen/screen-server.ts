import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { Type, type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ScreenView } from '../core/index.ts'
import type { KioskStatus } from '../kiosk.ts'
import { SettingsError } from '../settings-error.ts'
import { isForScreen, isFromOwnPage, limitConnections } from './access.ts'
import { createPage, type Page } from './page.ts'
import { createScreenKey, ENTER_ADDRESS, ENTERED_PAGE, type ScreenKey } from './screen-key.ts'
import { createStreams } from './streams.ts'

const MAX_BODY_BYTES = 4_096
const KEEP_ALIVE_MS = 15_000
/** A request that is not complete after this time is closed. By default Node checks only every 30 s. */
const LIMITS = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 }

/** The screen loads only its own files, and has no inline style or script. */
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
  /** 0: any free port. */
  port: number
  /** Folder of another page than the agent's own. */
  pageDir?: string
  view: () => ScreenView
  onCode: (code: string) => void
  onAccept: () => void
  onEnd: () => void
  onCallStaff: (reason?: string) => void
  onDismiss: (noticeId: string) => void
  /** Only who has this key may read the state or act. Without a key, every program of this machine may read it. */
  key?: string
  /** A page has opened or closed. */
  onPagesChanged: () => void
  /** The state of the kiosk's browser, if the agent runs one. */
  kiosk?: () => KioskStatus | undefined
  log: Logger
}

export interface ScreenServer {
  url: string
  /** Sends the view to the pages if it has changed. */
  refresh: () => void
  /** Whether a page shows the screen now. */
  hasPage: () => boolean
  stop: () => Promise<void>
}

/** Runs an action if the body matches its schema; returns whether it did. */
type Action = (body: unknown) => boolean

function action<S extends TSchema>(schema: S, run: (body: Static<S>) => void): Action {
  const validator = Compile(schema)
  return (body) => {
    if (!validator.Check(body)) return false
    run(body)
    return true
  }
}

/** Serves the station's screen on loopback: the built page, the state as an event stream, and the visitor's actions. */
export async function createScreenServer(options: ScreenServerOptions): Promise<ScreenServer> {
  const { view, log } = options
  const page = await createPage(options.pageDir)
  const streams = createStreams(options.onPagesChanged)
  const key = options.key === undefined ? undefined : createScreenKey(options.key)
  const actions = new Map<string, Action>([
    [
      '/api/code',
      action(Type.Object({ code: Type.String({ maxLength: 64 }) }), ({ code }) => options.onCode(code)),
    ],
    ['/api/accept', action(Type.Object({}), () => options.onAccept())],
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

  const push = () => streams.push(`data: ${JSON.stringify(view())}\n\n`)

  const server = createServer(LIMITS, (request, response) => {
    serve(request, response).catch((err: unknown) => {
      log.error({ err }, 'the screen failed to answer')
      if (!response.headersSent) refuse(response, 500)
      else response.destroy()
    })
  })
  limitConnections(server)

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const port = portOf(server.address())
    if (key !== undefined && path === ENTER_ADDRESS)
      return enter(key, isForScreen(request, port), request, response)
    if (!isFromOwnPage(request, port)) {
      refuse(response, 403)
      return
    }
    if (key !== undefined && path.startsWith('/api/') && !key.isIn(request)) {
      refuse(response, 401)
      return
    }
    if (path === '/api/state' && request.method === 'GET') {
      serveState(request, response)
      return
    }
    if (path === '/api/kiosk' && request.method === 'GET') {
      sendJson(response, options.kiosk?.() ?? {})
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
      sendJson(response, view())
      return
    }
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream; charset=utf-8' })
    response.write(`retry: 1000\ndata: ${JSON.stringify(view())}\n\n`)
    streams.add(response)
  }

  const keepAlive = setInterval(push, KEEP_ALIVE_MS)
  await listen(server, options.port)

  return {
    url: `http://127.0.0.1:${portOf(server.address())}/`,
    refresh: () => {
      const key = changeKeyOf(view())
      if (key === lastKey) return
      lastKey = key
      push()
    },
    hasPage: streams.hasPage,
    stop: () => {
      clearInterval(keepAlive)
      streams.end()
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

/** A key that changes with the view. Running time is left out, because the page counts it down itself. */
function changeKeyOf({ countdown, suspended, entry, goingDown, ...view }: ScreenView): string {
  const running = countdown === undefined ? undefined : { ...countdown, remainingMs: 0 }
  const waiting = { ...entry, retryAfterSeconds: 0 }
  return JSON.stringify([view, running, suspended?.remainingSeconds, waiting, goingDown?.op])
}

const portOf = (address: string | AddressInfo | null) =>
  typeof address === 'object' && address !== null ? address.port : 0

/** @throws SettingsError when the port cannot be opened */
async function listen(server: Server, port: number): Promise<void> {
  const refusal = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once('error', resolve)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', resolve)
      resolve(undefined)
    })
  })
  if (refusal === undefined) return
  if (refusal.code === 'EADDRINUSE') {
    throw new SettingsError(
      `le port ${port} de l’écran est déjà pris\u00a0: un autre agent tourne peut-être ici («\u202fescale-agent status\u202f»)\u202f; sinon choisissez un autre port avec --screen-port.`,
      `the screen’s port ${port} is taken: another agent may be running here ("escale-agent status"); if not, choose another port with --screen-port.`,
      'screen-port',
    )
  }
  throw new SettingsError(
    `le port ${port} de l’écran ne peut pas être ouvert (${String(refusal.code)})\u00a0: choisissez-en un autre avec --screen-port.`,
    `the screen’s port ${port} cannot be opened (${String(refusal.code)}): choose another with --screen-port.`,
    'screen-port',
  )
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { ...HEADERS, 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(value))
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...HEADERS, ...headers, 'content-length': 0 })
  response.end()
}

/** Gives the cookie to the browser that shows the key. It comes from the start page, a file, so its Origin says nothing. */
async function enter(
  key: ScreenKey,
  isForThis: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isForThis || request.method !== 'POST' || !(await key.isInForm(request))) {
    refuse(response, 403, { connection: 'close' })
    return
  }
  const type = 'text/html; charset=utf-8'
  response.writeHead(200, { ...HEADERS, 'content-type': type, 'set-cookie': key.cookie })
  response.end(ENTERED_PAGE)
}

async function runAction(found: Action, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.headers['content-type']?.split(';')[0] !== 'application/json') {
    refuse(response, 415)
    return
  }
  const announcedBytes = Number(request.headers['content-length'] ?? 0)
  const text = announcedBytes > MAX_BODY_BYTES ? undefined : await readBody(request)
  if (text === undefined) {
    refuse(response, 413, { connection: 'close' })
    return
  }
  const body = parse(text)
  refuse(response, found(body) ? 204 : 422)
}

/** The body, or undefined if it is larger than any valid one. */
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
