import type { ServerFrame } from '@escale/protocol'
import { createEventHook, useEventListener, useIntervalFn } from '@vueuse/core'
import { defineStore } from 'pinia'
import { readonly, ref, shallowRef } from 'vue'
import { ApiError } from '../api/problem.ts'
import { claimsOf } from '../api/claims.ts'
import { useServices } from '../services.ts'
import { createLiveConnection, type LiveState } from './connection.ts'
import { createServerClock } from './server-clock.ts'

/** Often enough that each second of a countdown is shown for about a second. */
const TICK_MS = 200
const DEFAULT_TOKEN_LIFE_MS = 600_000

/** The WebSocket of this page, and the server's clock that comes with it. */
export const useLive = defineStore('live', () => {
  const { signIn } = useServices()
  const clock = createServerClock(Date.now() - performance.now())
  const frames = createEventHook<ServerFrame>()
  const stops = createEventHook()
  const state = ref<LiveState>('connecting')
  /** Unix ms at the server when the last frame came. */
  const heardAtMs = ref<number>()
  /** Unix ms at the server, updated five times a second. */
  const nowMs = shallowRef(clock.nowMs(performance.now()))
  const ticker = useIntervalFn(tick, TICK_MS, { immediate: false })

  const connection = createLiveConnection({
    url: `${location.origin.replace(/^http/, 'ws')}/ws/sessions/`,
    accessToken: signIn.accessToken,
    renew: signIn.renew,
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

  function tick(): void {
    nowMs.value = clock.nowMs(performance.now())
  }

  function receive(frame: ServerFrame): void {
    if (frame.type === 'connection_established') clock.reset()
    if ('sentAt' in frame) clock.learn(Date.parse(frame.sentAt), performance.now())
    tick()
    heardAtMs.value = nowMs.value
    void frames.trigger(frame)
  }

  function reconnectNow(): void {
    tick()
    if (document.visibilityState === 'visible') connection.reconnectNow()
  }
  useEventListener(window, 'online', reconnectNow)
  useEventListener(document, 'visibilitychange', reconnectNow)

  return {
    state: readonly(state),
    heardAtMs: readonly(heardAtMs),
    nowMs,
    /** Calls a function with each frame, until the calling component is removed. */
    onFrame: frames.on,
    /** Calls a function when the operator signs out: stores forget their data then. */
    onStop: stops.on,
    start() {
      connection.start()
      ticker.resume()
    },
    stop() {
      connection.stop()
      ticker.pause()
      state.value = 'connecting'
      void stops.trigger()
    },
    reconnectNow,
  }
})
