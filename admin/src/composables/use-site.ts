import { isTimeZone } from '@escale/protocol'
import { defineStore } from 'pinia'
import { computed } from 'vue'
import { useServices } from '../services.ts'
import { useLoad } from './use-load.ts'
import { useReload } from './use-reload.ts'

/** What pages need to know of the site's settings. */
export const useSite = defineStore('site', () => {
  const { api } = useServices()
  const { data: settings, error: loadError, reload } = useLoad(api.settings.read)
  useReload(reload, ({ action }) => action === 'settings.updated')

  /** Where hours are shown; without one, in the browser's own. It may be unknown to an old browser. */
  const timeZone = computed(() => {
    const zone = settings.value?.timeZone
    return zone !== undefined && isTimeZone(zone) ? zone : undefined
  })
  return { timeZone, loadError, reload }
})
