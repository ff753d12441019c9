import type { Log } from '@escale/protocol'
import { watch } from 'vue'
import { useLive } from '../live/live-store.ts'

/** Loads what a page shows: each time that the live connection opens, and when a relevant log is added. */
export function useReload(reload: () => unknown, isRelevant: (log: Log) => boolean): void {
  const live = useLive()
  watch(
    () => live.state,
    (state, before = 'connecting') => {
      // Without a live connection the page loads once, as soon as that is known.
      if (state === 'live' || (state !== 'connecting' && before === 'connecting')) reload()
    },
    { immediate: true },
  )
  live.onFrame((frame) => {
    if (frame.type === 'log_added' && isRelevant(frame.log)) reload()
  })
}
