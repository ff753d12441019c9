import { isTimeZone, type SettingsAnswer } from '@escale/protocol'
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { useServices } from '../services.ts'
import { useLive } from '../live/live-store.ts'

/** What pages need to know of the site; loaded after each connection, and when the settings change. */
export const useSite = defineStore('site', () => {
  const { api } = useServices()
  const live = useLive()
  /** In which every hour is told; the browser's own until it is known. */
  const timeZone = ref<string>()
  const loadError = ref<unknown>()
  let stopListening: (() => void) | undefined

  async function load(): Promise<void> {
    loadError.value = undefined
    try {
      const settings = await api.get<SettingsAnswer>('/api/parametres/')
      // The server's list of zones may be newer than the browser's.
      timeZone.value = isTimeZone(settings.timeZone) ? settings.timeZone : undefined
    } catch (error) {
      loadError.value = error
    }
  }

  return {
    timeZone,
    loadError,
    load,
    start() {
      stopListening = live.listen((frame) => {
        const isNews = frame.type === 'log_added' && frame.log.action === 'settings.updated'
        if (isNews || frame.type === 'connection_established') void load()
      })
    },
    stop() {
      stopListening?.()
      loadError.value = undefined
    },
  }
})
