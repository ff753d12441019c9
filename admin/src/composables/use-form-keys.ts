import { nextTick, watch, type Ref } from 'vue'
import type { Form } from './use-form.ts'

/**
 * Where Enter has a meaning of its own: a new line, a press, the choice from an open list. A native list may have
 * closed by the time its key arrives, so no browser says for certain which of the two it was.
 */
const OWN_ENTER =
  'textarea, select, button, a[href], summary, [contenteditable], [role="button"], [data-own-enter]'

/**
 * What a form owes the keyboard: Enter sends it from every field, whatever a component does with the key, and a
 * refusal leads to the first field to mend, also where that is scrolled away or folded.
 */
export function useFormKeys(
  element: Readonly<Ref<HTMLElement | null>>,
  form: () => Pick<Form<never>, 'refusals' | 'submit'> | undefined,
) {
  watch(
    () => form()?.refusals,
    async (count, before) => {
      if (count === undefined || count === before) return
      await nextTick()
      if (element.value !== null) leadToFault(element.value)
    },
  )

  /** For `keydown` and `keyup`, both captured: some components act on one, some on the other. */
  return function onEnter(event: KeyboardEvent): void {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return
    if (!(event.target instanceof Element) || event.target.closest(OWN_ENTER) !== null) return
    event.preventDefault()
    event.stopPropagation()
    if (event.type === 'keydown' && !event.repeat) void form()?.submit()
  }
}

function leadToFault(element: HTMLElement): void {
  const field = element.querySelector<HTMLElement>('[aria-invalid="true"]')
  if (field === null) {
    element.querySelector('[role="alert"]')?.scrollIntoView({ block: 'nearest' })
    return
  }
  const folded = field.closest('details')
  if (folded !== null) folded.open = true
  field.focus({ preventScroll: true })
  // With its label and what is said about it.
  ;(field.closest('.q-field, .select') ?? field).scrollIntoView({ block: 'center' })
}
