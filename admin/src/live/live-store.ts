import type { ServerFrame } from '@escale/protocol'
import { defineStore } from 'pinia'
import { readonly, ref, shallowRef } from 'vue'
import { claimsOf } from '../api/claims.ts'
import { ApiError } from '../api/problem.ts'
import { useServices } from '../services.ts'
import { createLiveConnection, type LiveConnection, type LiveState } from './connection.ts'
import { createServerClock } from './server-clock.ts'

type FrameListener = (frame: ServerFrame) => void

/** Often enough that a second on screen never lasts visibly longer than another. */
const TICK_MS = 200
const DEFAULT_TOKEN_LIFE_MS = 600_000

/** The live socket of this page, and the server's clock that comes with it. */
export const useLive = defineStore('live', () => {
  const { api } = useServices()
  const clock = createServerClock(Date.now() - performance.now())
  const listeners = new Set<FrameListener>()
  const state = ref<LiveState>('connecting')
  /** Unix ms at the server when the last message came. */
  const heardAtMs = ref<number>()
  /** Unix ms at the server, moving by itself. */
  const nowMs = shallowRef(clock.nowMs(performance.now()))
  let connection: LiveConnection | undefined
  let ticker: ReturnType<typeof setInterval> | undefined

  function tick(): void {
    nowMs.value = clock.nowMs(performance.now())
  }

  function receive(frame: ServerFrame): void {
    if (frame.type === 'connection_established') clock.reset()
    if ('sentAt' in frame) clock.learn(Date.parse(frame.sentAt), performance.now())
    tick()
    heardAtMs.value = nowMs.value
    for (const listener of [...listeners]) listener(frame)
  }

  function start(): void {
    connection = createLiveConnection({
      url: `${location.origin.replace(/^http/, 'ws')}/ws/sessions/`,
      accessToken: api.accessToken,
      renew: api.renew,
      validForMs: (token, serverNow) => {
        const expiry = claimsOf(token)?.exp
        return expiry === undefined ? DEFAULT_TOKEN_LIFE_MS : expiry * 1_000 - Date.parse(serverNow)
      },
      isWorthRetrying: (error) => !(error instanceof ApiError) || error.status !== 401,
      onFrame: receive,
      onState: (next) => {
        state.value = next
      },
      random: Math.random,
    })
    connection.start()
    ticker = setInterval(tick, TICK_MS)
    window.addEventListener('online', hurry)
    document.addEventListener('visibilitychange', hurry)
  }

  function stop(): void {
    connection?.stop()
    connection = undefined
    clearInterval(ticker)
    window.removeEventListener('online', hurry)
    document.removeEventListener('visibilitychange', hurry)
  }

  function hurry(): void {
    tick()
    if (document.visibilityState === 'visible') connection?.hurry()
  }

  /** Hears every frame until the returned function is called. */
  function listen(listener: FrameListener): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  return { state: readonly(state), heardAtMs: readonly(heardAtMs), nowMs, start, stop, listen }
})
