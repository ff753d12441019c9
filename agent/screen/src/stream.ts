import { onScopeDispose, readonly, ref, shallowRef } from 'vue'
import type { ScreenView } from '../../src/core/view.ts'

export type { ScreenView }

const ADDRESS = '/api/state'
const RECONNECT_MS = 1_000
/** The agent says something each 15 s, whether anything has changed or not. */
const SILENCE_MS = 40_000

/** A view and the moment, on the page's monotonic clock, at which it came. */
export interface ReceivedView {
  view: ScreenView
  atMs: number
}

/**
 * The station's state as the agent streams it. Whatever ends the stream, the page asks once a second until it has one
 * again: a browser gives a stream up for good when it is refused, and another program may keep taking ours.
 */
export function useStream() {
  const received = shallowRef<ReceivedView>()
  const isCut = ref(false)
  let source: EventSource | undefined
  let timer: number | undefined
  let isOver = false

  const take = (view: ScreenView) => {
    isCut.value = false
    received.value = { view, atMs: performance.now() }
  }

  const waitForNext = () => {
    window.clearTimeout(timer)
    timer = window.setTimeout(() => void reconnect(), SILENCE_MS)
  }

  const open = () => {
    source?.close()
    source = new EventSource(ADDRESS)
    source.onmessage = ({ data }: MessageEvent<string>) => {
      take(JSON.parse(data) as ScreenView)
      waitForNext()
    }
    source.onerror = () => {
      source?.close()
      void reconnect()
    }
    waitForNext()
  }

  const reconnect = async () => {
    const view = await fetchView()
    if (isOver) return
    if (view === undefined) isCut.value = true
    else take(view)
    window.clearTimeout(timer)
    timer = window.setTimeout(open, RECONNECT_MS)
  }

  open()
  onScopeDispose(() => {
    isOver = true
    window.clearTimeout(timer)
    source?.close()
  })
  return { received: readonly(received), isCut: readonly(isCut) }
}

async function fetchView(): Promise<ScreenView | undefined> {
  try {
    const response = await fetch(ADDRESS, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(RECONNECT_MS * 5),
    })
    return response.ok ? ((await response.json()) as ScreenView) : undefined
  } catch {
    return undefined
  }
}

/** Tells the agent what the visitor did; what comes of it arrives by the stream. */
export async function act(
  name: 'code' | 'end' | 'call-staff' | 'dismiss',
  body: object = {},
): Promise<boolean> {
  try {
    const response = await fetch(`/api/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return response.ok
  } catch {
    return false
  }
}
