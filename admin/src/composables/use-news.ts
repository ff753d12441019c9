import { useQuasar } from 'quasar'
import { useI18n } from 'vue-i18n'
import { useErrorText } from './use-errors.ts'

/** Long enough to notice a mistake and reach the button. */
const UNDO_MS = 8_000
const NEWS_MS = 4_000

/** Short messages at the edge of the page; an act that can be reversed offers it there. */
export function useNews() {
  const quasar = useQuasar()
  const { t } = useI18n()
  const errorText = useErrorText()

  /** Beside the page's dialogs where there is room, above the menu where there is none. */
  const corner = () => (quasar.screen.width >= 960 ? 'bottom-left' : 'bottom')

  function tell(message: string, action?: { label: string; run: () => void }): void {
    quasar.notify({
      message,
      classes: 'news',
      position: corner(),
      timeout: action === undefined ? NEWS_MS : UNDO_MS,
      attrs: { role: 'status' },
      actions: action === undefined ? [] : [{ label: action.label, noCaps: true, handler: action.run }],
    })
  }

  function tellError(error: unknown): void {
    quasar.notify({
      message: errorText(error),
      classes: 'news news--error',
      position: corner(),
      timeout: UNDO_MS,
      actions: [{ label: t('common.close'), noCaps: true }],
    })
  }

  /** Does something and tells how it went; `undo` is offered for eight seconds. */
  async function attempt<T>(
    act: () => Promise<T>,
    done: string,
    undo?: (result: T) => Promise<unknown>,
  ): Promise<void> {
    try {
      const result = await act()
      if (undo === undefined) tell(done)
      else tell(done, { label: t('common.undo'), run: () => void undo(result).catch(tellError) })
    } catch (error) {
      tellError(error)
    }
  }

  return { tell, tellError, attempt }
}
