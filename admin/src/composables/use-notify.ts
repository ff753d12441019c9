import { useQuasar } from 'quasar'
import { useI18n } from 'vue-i18n'
import { useErrorText } from './use-error-text.ts'

/** Long enough to notice a mistake and press the button. */
const UNDO_MS = 8_000
const SHOWN_MS = 4_000

/** Short messages at the edge of the page, with a button where something can be undone. */
export function useNotify() {
  const quasar = useQuasar()
  const { t } = useI18n()
  const errorText = useErrorText()

  /** Beside the page's dialogs where there is room, above the menu where there is none. */
  const corner = () => (quasar.screen.width >= 960 ? 'bottom-left' : 'bottom')

  function notify(message: string, action?: { label: string; run: () => void }): void {
    quasar.notify({
      message,
      classes: 'toast',
      position: corner(),
      timeout: action === undefined ? SHOWN_MS : UNDO_MS,
      attrs: { role: 'status' },
      actions: action === undefined ? [] : [{ label: action.label, noCaps: true, handler: action.run }],
    })
  }

  function notifyError(error: unknown): void {
    quasar.notify({
      message: errorText(error),
      classes: 'toast toast--error',
      position: corner(),
      timeout: UNDO_MS,
      actions: [{ label: t('common.close'), noCaps: true }],
    })
  }

  /** Does something and shows how it went; `undo` is offered for eight seconds. */
  async function attempt<T>(
    act: () => Promise<T>,
    done: string,
    undo?: (result: T) => Promise<unknown>,
  ): Promise<void> {
    try {
      const result = await act()
      if (undo === undefined) notify(done)
      else notify(done, { label: t('common.undo'), run: () => void undo(result).catch(notifyError) })
    } catch (error) {
      notifyError(error)
    }
  }

  return { notify, notifyError, attempt }
}
