import { onScopeDispose, readonly, ref, shallowRef } from 'vue'
import type { ScreenView } from '../../src/core/view.ts'

export type { ScreenView }

const ADDRESS = '/api/state'
const RECONNECT_MS = 1_000
/** Longest silence before the page reconnects. The agent sends the view at least every 15 s. */
const MAX_SILENCE_MS = 40_000

/** A view and the time of its arrival on the page's monotonic clock. */
export interface ReceivedView {
  view: ScreenView
  atMs: number
}

/**
 * The station's state, as the agent streams it. When the stream ends, the page reconnects once a second until it works:
 * an EventSource does not reconnect after a refusal, and other programs may take up all streams of the agent.
 */
export function useStream() {
  const received = shallowRef<ReceivedView>()
  const isDisconnected = ref(false)
  let source: EventSource | undefined
  let timer: number | undefined
  let isDisposed = false

  const receive = (view: ScreenView) => {
    isDisconnected.value = false
    received.value = { view, atMs: performance.now() }
  }

  const waitForNext = () => {
    window.clearTimeout(timer)
    timer = window.setTimeout(() => void reconnect(), MAX_SILENCE_MS)
  }

  const open = () => {
    source?.close()
    source = new EventSource(ADDRESS)
    source.onmessage = ({ data }: MessageEvent<string>) => {
      receive(JSON.parse(data) as ScreenView)
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
    if (isDisposed) return
    if (view === undefined) isDisconnected.value = true
    else receive(view)
    window.clearTimeout(timer)
    timer = window.setTimeout(open, RECONNECT_MS)
  }

  open()
  onScopeDispose(() => {
    isDisposed = true
    window.clearTimeout(timer)
    source?.close()
  })
  return { received: readonly(received), isDisconnected: readonly(isDisconnected) }
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

/** Sends an action of the visitor to the agent. Its effect arrives by the stream. */
export async function act(
  name: 'code' | 'accept' | 'end' | 'call-staff' | 'dismiss',
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
