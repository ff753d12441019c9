import { onScopeDispose, readonly, ref, shallowRef } from 'vue'
import type { ScreenView } from '../../src/core/view.ts'

export type { ScreenView }

/** A view and the moment, on the page's monotonic clock, at which it came. */
export interface ReceivedView {
  view: ScreenView
  atMs: number
}

/** The station's state as the agent streams it; after a cut the browser reconnects by itself. */
export function useStream() {
  const received = shallowRef<ReceivedView>()
  const isCut = ref(false)
  const source = new EventSource('/api/state')
  source.onmessage = ({ data }: MessageEvent<string>) => {
    isCut.value = false
    received.value = { view: JSON.parse(data) as ScreenView, atMs: performance.now() }
  }
  source.onerror = () => {
    isCut.value = true
  }
  onScopeDispose(() => source.close())
  return { received: readonly(received), isCut: readonly(isCut) }
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
