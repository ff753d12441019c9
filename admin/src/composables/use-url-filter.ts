import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'

/** A filter in the page's address: it survives a reload and can be bookmarked or sent. */
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
      // The page number counted the rows of the other filter.
      if (name !== 'page') delete query['page']
      void router.replace({ query })
    },
  })
}
