import type { ServerFrame } from '@escale/protocol'
import { ref } from 'vue'
import { useLive } from '../live/live-store.ts'

/** What a store loads when the live connection opens, then keeps up to date by its frames, until the sign-out. */
export function useLiveList<T>(options: {
  load: () => Promise<T>
  show: (loaded: T) => void
  apply: (frame: ServerFrame) => void
  clear: () => void
}) {
  const { load, show, apply, clear } = options
  const live = useLive()
  const loadError = ref<unknown>()
  /** Frames that arrive while the list is being loaded: they are newer than the list. */
  let waiting: ServerFrame[] | undefined

  async function reload(): Promise<void> {
    const mine: ServerFrame[] = []
    waiting = mine
    loadError.value = undefined
    try {
      const loaded = await load()
      if (waiting === mine) show(loaded)
    } catch (error) {
      if (waiting === mine) loadError.value = error
    }
    if (waiting !== mine) return // a newer connection loads again
    waiting = undefined
    mine.forEach(apply)
  }

  live.onFrame((frame) => {
    if (frame.type === 'connection_established') void reload()
    else if (waiting === undefined) apply(frame)
    else waiting.push(frame)
  })
  live.onStop(() => {
    waiting = undefined
    loadError.value = undefined
    clear()
  })
  return { loadError, reload }
}
