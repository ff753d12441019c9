import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'

/** A filter that lives in the address: it survives a reload, can be bookmarked and sent. */
export function useUrlFilter(name: string) {
  const route = useRoute()
  const router = useRouter()
  return computed({
    get: () => {
      const value = route.query[name]
      return typeof value === 'string' ? value : ''
    },
    set: (value: string) => {
      const query = { ...route.query, [name]: value || undefined }
      // A page number belongs to the filter it was counted under.
      if (name !== 'page') delete query['page']
      void router.replace({ query })
    },
  })
}
