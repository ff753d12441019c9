import { useAsyncState } from '@vueuse/core'

/** Something that is loaded, and may be loaded again: the newest answer, and the error of the newest request. */
export function useLoad<T>(load: () => Promise<T>) {
  const { state, error, executeImmediate } = useAsyncState<T | undefined, []>(load, undefined, {
    immediate: false,
    resetOnExecute: false,
    // Whoever shows `data` shows `error` instead.
    onError: () => undefined,
  })
  return { data: state, error, reload: () => executeImmediate() }
}
