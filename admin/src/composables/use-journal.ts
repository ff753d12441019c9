import type { Log } from '@escale/protocol'
import { onBeforeUnmount } from 'vue'
import { useLive } from '../live/live-store.ts'

/** Loads again what a page shows: once the live connection is back, and when a record of the journal concerns it. */
export function useJournal(concerns: (log: Log) => boolean, reload: () => Promise<void>): void {
  const stopListening = useLive().listen((frame) => {
    const isNews = frame.type === 'log_added' && concerns(frame.log)
    if (isNews || frame.type === 'connection_established') void reload()
  })
  onBeforeUnmount(stopListening)
}
