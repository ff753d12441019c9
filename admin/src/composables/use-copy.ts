import { ref, type Ref } from 'vue'

/**
 * Copies what an element shows. `isCopied` tells of the last try: undefined before the first.
 * The clipboard exists on secure pages only; on a plain local network the old command still works.
 */
export function useCopy(element: Readonly<Ref<HTMLElement | null>>) {
  const isCopied = ref<boolean>()

  async function copy(): Promise<void> {
    const shown = element.value
    isCopied.value = shown !== null && (await isTaken(shown))
  }
  return { isCopied, copy }
}

async function isTaken(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent.trim())
    return true
  } catch {
    getSelection()?.selectAllChildren(element)
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without a certificate
    return document.execCommand('copy')
  }
}
