import { onScopeDispose, ref, watchEffect, type Ref } from 'vue'

/** A countdown to 0: `remainingMs` were left at `atMs` of the page's monotonic clock. */
export interface Countdown {
  remainingMs: number
  /** Upper limit of what is shown. */
  capMs?: number
  atMs: number
}

/** Whole seconds left, rounded up, so that 0 is shown only at the end. */
export function secondsLeft({ remainingMs, capMs = Infinity, atMs }: Countdown, nowMs: number): number {
  return Math.ceil(Math.max(0, Math.min(capMs, remainingMs - (nowMs - atMs))) / 1_000)
}

/** Seconds left; the value changes exactly when the shown second does. */
export function useCountdown(countdown: () => Countdown | undefined): Readonly<Ref<number | undefined>> {
  const seconds = ref<number>()
  let timer: number | undefined
  const show = (current: Countdown) => {
    const nowMs = performance.now()
    seconds.value = secondsLeft(current, nowMs)
    const leftMs = current.remainingMs - (nowMs - current.atMs)
    if (leftMs <= 0) return
    const untilNextMs = leftMs % 1_000
    timer = window.setTimeout(() => show(current), untilNextMs < 1 ? 1_000 : untilNextMs + 1)
  }
  watchEffect(() => {
    window.clearTimeout(timer)
    const current = countdown()
    if (current === undefined) seconds.value = undefined
    else show(current)
  })
  onScopeDispose(() => window.clearTimeout(timer))
  return seconds
}

/** `4:05`, `1:00:00`. */
export function clockText(seconds: number): string {
  const hours = Math.floor(seconds / 3_600)
  const minutes = Math.floor((seconds % 3_600) / 60)
  const rest = String(seconds % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}
