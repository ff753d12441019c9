import {
  BEARER_SUBPROTOCOL_PREFIX,
  LIVE_CLOSE,
  LIVE_SUBPROTOCOL,
  type ClientFrame,
  type ServerFrame,
} from '@escale/protocol'

export type LiveState = 'connecting' | 'live' | 'reconnecting'

export interface LiveOptions {
  url: string
  accessToken: () => Promise<string>
  renew: () => Promise<string>
  /** How long a token is still good, ms; `serverNow` is the server's clock at this moment. */
  validForMs: (token: string, serverNow: string) => number
  /** Whether asking again later may help: not when the operator has to sign in. */
  isWorthRetrying: (error: unknown) => boolean
  onFrame: (frame: ServerFrame) => void
  onState: (state: LiveState) => void
  /** 0..1; spreads the reconnections of many pages after a restart of the server. */
  random: () => number
}

export interface LiveConnection {
  start: () => void
  stop: () => void
  /** Connects at once instead of waiting: the network is back, the tab is looked at again. */
  hurry: () => void
}

const FIRST_DELAY_MS = 400
const LONGEST_DELAY_MS = 15_000
const RENEW_BEFORE_MS = 60_000
/** A cut cable closes no socket: ask for a sign of life, and give up on a socket that gives none. */
const SIGN_OF_LIFE_MS = 15_000

type Timer = ReturnType<typeof setTimeout>

/** Milliseconds before the attempt after `failures` failures in a row: exponential, the upper half drawn. */
export function reconnectDelayMs(failures: number, random: number): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10))
  return ceiling / 2 + (ceiling / 2) * random
}

/**
 * Keeps one socket to `/ws/sessions/` open. What a socket says after it was given up is ignored.
 * Source: contract, section 2.
 */
export function createLiveConnection(options: LiveOptions): LiveConnection {
  let socket: WebSocket | undefined
  let failures = 0
  let running = false
  let wasLive = false
  let isOpening = false
  const timers: { retry?: Timer; renewal?: Timer; silence?: Timer } = {}

  async function open(): Promise<void> {
    if (!running || isOpening || socket !== undefined) return
    isOpening = true
    try {
      connect(await options.accessToken())
    } catch (error) {
      if (options.isWorthRetrying(error)) retryLater()
    } finally {
      isOpening = false
    }
  }

  function connect(token: string): void {
    if (!running) return // stopped while the token was on its way
    const mine = new WebSocket(options.url, [LIVE_SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + token])
    socket = mine
    const isCurrent = () => socket === mine
    mine.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (isCurrent()) receive(frameOf(event.data), token)
    })
    mine.addEventListener('close', (event) => {
      if (isCurrent()) void lost(event.code)
    })
    awaitSignOfLife(mine)
  }

  function receive(frame: ServerFrame | undefined, token: string): void {
    if (socket === undefined || frame === undefined) return
    awaitSignOfLife(socket)
    if (frame.type === 'connection_established') {
      failures = 0
      wasLive = true
      renewInTime(token, frame.sentAt)
      options.onState('live')
    }
    options.onFrame(frame)
  }

  function renewInTime(token: string, serverNow: string): void {
    clearTimeout(timers.renewal)
    const delayMs = Math.max(1_000, options.validForMs(token, serverNow) - RENEW_BEFORE_MS)
    timers.renewal = setTimeout(() => void renew(serverNow, delayMs), delayMs)
  }

  async function renew(before: string, passedMs: number): Promise<void> {
    try {
      const token = await options.renew()
      send({ type: 'authenticate', token })
      renewInTime(token, new Date(Date.parse(before) + passedMs).toISOString())
    } catch {
      // The server will close with 4401 and the way back in tells why.
    }
  }

  async function lost(closeCode: number): Promise<void> {
    drop()
    if (!running) return
    options.onState(wasLive ? 'reconnecting' : 'connecting')
    if (closeCode === LIVE_CLOSE.unauthenticated) {
      try {
        await options.renew()
      } catch (error) {
        if (!options.isWorthRetrying(error)) return
      }
    }
    retryLater()
  }

  function retryLater(): void {
    if (!running) return
    clearTimeout(timers.retry)
    timers.retry = setTimeout(() => void open(), reconnectDelayMs(failures, options.random()))
    failures += 1
  }

  function awaitSignOfLife(mine: WebSocket): void {
    clearTimeout(timers.silence)
    timers.silence = setTimeout(() => {
      if (mine.readyState === WebSocket.OPEN) send({ type: 'heartbeat' })
      timers.silence = setTimeout(() => {
        if (socket === mine) void lost(0)
      }, SIGN_OF_LIFE_MS)
    }, SIGN_OF_LIFE_MS)
  }

  function send(frame: ClientFrame): void {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame))
  }

  function drop(): void {
    clearTimeout(timers.retry)
    clearTimeout(timers.renewal)
    clearTimeout(timers.silence)
    const old = socket
    socket = undefined
    old?.close()
  }

  return {
    start() {
      if (running) return
      running = true
      wasLive = false
      failures = 0
      options.onState('connecting')
      void open()
    },
    stop() {
      running = false
      drop()
    },
    hurry() {
      if (!running || socket !== undefined) return
      clearTimeout(timers.retry)
      void open()
    },
  }
}

function frameOf(data: unknown): ServerFrame | undefined {
  if (typeof data !== 'string') return undefined
  try {
    const frame = JSON.parse(data) as Partial<ServerFrame> | null
    return frame !== null && typeof frame.type === 'string' ? (frame as ServerFrame) : undefined
  } catch {
    return undefined
  }
}
