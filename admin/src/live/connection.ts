import {
  BEARER_SUBPROTOCOL_PREFIX,
  LIVE_CLOSE,
  LIVE_SUBPROTOCOL,
  type ClientFrame,
  type ServerFrame,
} from '@escale/protocol'

/** `tooManyScreens`: the server takes no more of them from this operator or this address. */
export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'tooManyScreens'

export interface LiveOptions {
  url: string
  accessToken: () => Promise<string>
  renew: () => Promise<string>
  /** How long a token is still valid, ms; `serverNow` is the server's clock at this moment. */
  validForMs: (token: string, serverNow: string) => number
  /** Whether a later try may succeed: not when the operator has to sign in. */
  isWorthRetrying: (error: unknown) => boolean
  onFrame: (frame: ServerFrame) => void
  onState: (state: LiveState) => void
  /** 0..1; spreads the reconnections of many pages after the server restarts. */
  random: () => number
}

export interface LiveConnection {
  start: () => void
  stop: () => void
  /** Connects at once instead of waiting, for instance when the network is back or the tab is visible again. */
  reconnectNow: () => void
}

const FIRST_DELAY_MS = 400
const LONGEST_DELAY_MS = 15_000
/** A place is free only once somebody has closed another screen. */
const TOO_MANY_SCREENS_DELAY_MS = 30_000
const RENEW_BEFORE_MS = 60_000
/** A cut cable closes no socket: after this silence a heartbeat is sent, and after as much again the socket is closed. */
const SILENCE_MS = 15_000

type Timer = ReturnType<typeof setTimeout>

/** Milliseconds before the next try after `failures` failures in a row: doubled each time, its upper half random. */
export function reconnectDelayMs(failures: number, random: number): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10))
  return ceiling / 2 + (ceiling / 2) * random
}

/** Keeps one WebSocket to `/ws/sessions/` open. Frames of a socket that was replaced are ignored. */
export function createLiveConnection(options: LiveOptions): LiveConnection {
  let socket: WebSocket | undefined
  let failures = 0
  let running = false
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
    if (!running) return // stopped while the token was fetched
    const opened = new WebSocket(options.url, [LIVE_SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + token])
    socket = opened
    const isCurrent = () => socket === opened
    opened.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (isCurrent()) receive(frameOf(event.data), token)
    })
    opened.addEventListener('close', (event) => {
      if (isCurrent()) void lost(event.code)
    })
    watchSilence(opened)
  }

  function receive(frame: ServerFrame | undefined, token: string): void {
    if (socket === undefined || frame === undefined) return
    watchSilence(socket)
    if (frame.type === 'connection_established') {
      failures = 0
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
      // The server closes the socket with 4401 later, and reconnecting shows the error.
    }
  }

  async function lost(closeCode: number): Promise<void> {
    drop()
    if (!running) return
    if (closeCode === LIVE_CLOSE.tooMany) {
      options.onState('tooManyScreens')
      retryAfter(TOO_MANY_SCREENS_DELAY_MS)
      return
    }
    if (closeCode === LIVE_CLOSE.unauthenticated) {
      options.onState('reconnecting')
      try {
        await options.renew()
      } catch (error) {
        if (!options.isWorthRetrying(error)) return
      }
    }
    retryLater()
  }

  function retryLater(): void {
    if (!running) return // stopped while a token was fetched
    options.onState('reconnecting')
    retryAfter(reconnectDelayMs(failures, options.random()))
    failures += 1
  }

  function retryAfter(delayMs: number): void {
    clearTimeout(timers.retry)
    timers.retry = setTimeout(() => void open(), delayMs)
  }

  function watchSilence(watched: WebSocket): void {
    clearTimeout(timers.silence)
    timers.silence = setTimeout(() => {
      if (watched.readyState === WebSocket.OPEN) send({ type: 'heartbeat' })
      timers.silence = setTimeout(() => {
        if (socket === watched) void lost(0)
      }, SILENCE_MS)
    }, SILENCE_MS)
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
      failures = 0
      options.onState('connecting')
      void open()
    },
    stop() {
      running = false
      drop()
    },
    reconnectNow() {
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
