import { copyToClipboard } from 'quasar'
import { ref } from 'vue'

/** Copies a text. `isCopied` says how the last try went: undefined before the first. */
export function useCopy() {
  const isCopied = ref<boolean>()
  async function copy(text: string): Promise<void> {
    isCopied.value = await copyToClipboard(text).then(
      () => true,
      () => false,
    )
  }
  return { isCopied, copy }
}
