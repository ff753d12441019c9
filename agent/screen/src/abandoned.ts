import { onScopeDispose, watchEffect } from 'vue'

/** After this time without a key, a click or a touch, the visitor has left. */
const ABANDONED_MS = 120_000
const SIGNS = ['keydown', 'pointerdown', 'paste'] as const

/** Calls `leave` once nobody has used the page for two minutes. It only counts while `isWatched`. */
export function useAbandoned(isWatched: () => boolean, leave: () => void): void {
  let timer: number | undefined
  const restart = () => {
    window.clearTimeout(timer)
    if (isWatched()) timer = window.setTimeout(leave, ABANDONED_MS)
  }
  const listening = new AbortController()
  for (const sign of SIGNS) document.addEventListener(sign, restart, listening)
  watchEffect(restart)
  onScopeDispose(() => {
    window.clearTimeout(timer)
    listening.abort()
  })
}
