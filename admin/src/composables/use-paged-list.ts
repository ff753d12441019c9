import type { Log } from '@escale/protocol'
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import { useLoad } from './use-load.ts'
import { useReload } from './use-reload.ts'
import { useUrlFilter } from './use-url-filter.ts'

/**
 * One page of a list that the server searches and counts. It is loaded whenever `filter` changes, the live
 * connection opens, or a log is relevant. The page number, from 1, is kept in the address.
 */
export function usePagedList<T>(options: {
  pageSize: number
  filter?: () => string
  load: (query: { page: number; pageSize: number }) => Promise<{ count: number; results: T[] }>
  isRelevant: (log: Log) => boolean
}) {
  const { pageSize, filter = () => '', load, isRelevant } = options
  const pageText = useUrlFilter('page')
  const page = computed(() => Math.max(1, Math.floor(Number(pageText.value)) || 1))
  const rows = shallowRef<T[]>([])
  const count = ref(0)
  const { data, error, reload } = useLoad(() => load({ page: page.value, pageSize }))
  const isLoaded = computed(() => data.value !== undefined)

  watch(data, (answer) => {
    rows.value = answer?.results ?? []
    count.value = answer?.count ?? 0
  })
  watch([filter, page], reload)
  useReload(reload, isRelevant)

  function turnTo(next: number): void {
    pageText.value = next <= 1 ? '' : String(next)
  }
  return reactive({ page, pageSize, rows, count, isLoaded, error, turnTo, reload })
}

export type PagedList = Omit<ReturnType<typeof usePagedList<unknown>>, 'rows'>
