import { nextTick, onScopeDispose, type Ref } from 'vue'
import { createScan, meaningOf, typeInto, wholeCode, type KeyMeaning } from './code-entry.ts'
import { caretAfterFormat, formatTyped, isWhole, significant } from './code-format.ts'

interface CodeKeysOptions {
  input: Ref<HTMLInputElement | undefined>
  code: Ref<string>
  /** The code in the field was refused: what comes from elsewhere begins a new one. */
  isOver: () => boolean
  submit: () => void
}

const EDITING_KEYS = ['Backspace', 'Delete', 'ArrowLeft', 'ArrowRight', 'Home', 'End']

/** Wherever on the page a code is typed, scanned or pasted, it goes into the field. */
export function useCodeKeys({ input, code, isOver, submit }: CodeKeysOptions) {
  const scan = createScan()
  /** What dashes of the digit row may have meant in what a hand typed. */
  let dashes = ''

  const isInField = () => document.activeElement === input.value

  const show = async (text: string, caret: number) => {
    code.value = text
    await nextTick()
    if (input.value === undefined) return
    input.value.value = text
    input.value.setSelectionRange(caret, caret)
  }

  /** Called when the field's text has changed: shows it as a code is written. */
  const format = () => {
    const field = input.value
    if (field === undefined) return Promise.resolve()
    const scanned = scan.code()
    if (scanned !== undefined) return show(formatTyped(scanned), field.value.length + 1)
    if (significant(field.value).length < 4) dashes = ''
    const caret = caretAfterFormat(field.value, field.selectionStart ?? field.value.length)
    return show(formatTyped(field.value), caret)
  }

  const takeFocus = () => {
    const field = input.value
    if (field === undefined || isInField()) return
    if (isOver()) code.value = field.value = ''
    field.focus()
    field.setSelectionRange(field.value.length, field.value.length)
  }

  /** A dash, or a digit that the layout hides: the browser would type something else. */
  const typeOurselves = (meaning: KeyMeaning) => {
    const field = input.value
    if (field === undefined) return
    const isAtEnd = field.selectionEnd === field.value.length
    const before = { code: significant(field.value.slice(0, field.selectionStart ?? undefined)), dashes }
    const after = isAtEnd ? typeInto(before, meaning) : { ...before, code: before.code + meaning.char }
    dashes = after.dashes
    if (after.code !== before.code)
      field.setRangeText(meaning.char, field.selectionStart ?? 0, field.selectionEnd ?? 0, 'end')
    void format()
  }

  /** The code as it is to be sent, dashes settled. */
  const settle = () => {
    const whole = scan.code() ?? wholeCode({ code: significant(code.value), dashes })
    if (whole !== undefined) code.value = formatTyped(whole)
    dashes = ''
    scan.forget()
    return code.value
  }

  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return
    if (EDITING_KEYS.includes(event.key)) {
      scan.forget()
      dashes = ''
    }
    // A scanner ends with Tab or Enter; a hand that tabs on from the field goes on to the button.
    const isScanEnd = event.key === 'Tab' && scan.code() !== undefined
    const isLooseEnter =
      event.key === 'Enter' && document.activeElement === document.body && code.value !== ''
    if (isScanEnd || isLooseEnter) {
      event.preventDefault()
      submit()
      return
    }
    const hasModifier = event.ctrlKey || event.metaKey || event.altKey || event.getModifierState('AltGraph')
    const meaning = meaningOf({ key: event.key, code: event.code, hasModifier })
    if (meaning === undefined) return
    takeFocus()
    if (!event.repeat) scan.key(meaning, event.timeStamp)
    if (meaning.kind === 'typed') return
    event.preventDefault()
    typeOurselves(meaning)
  }

  const onPaste = (event: ClipboardEvent) => {
    const text = event.clipboardData?.getData('text') ?? ''
    scan.forget()
    dashes = ''
    if (isInField() && !isWhole(text)) return
    event.preventDefault()
    takeFocus()
    const pasted = formatTyped(isWhole(text) ? text : code.value + text)
    void show(pasted, pasted.length)
  }

  /** A button pressed by the mouse keeps no keys: the next scan's blank would press it again. */
  const onClick = (event: MouseEvent) => {
    const isMouse = event instanceof PointerEvent && event.pointerType === 'mouse'
    if (!isMouse || event.target === input.value || getSelection()?.isCollapsed === false) return
    input.value?.focus()
  }

  const listening = new AbortController()
  document.addEventListener('keydown', onKey, listening)
  document.addEventListener('paste', onPaste, listening)
  document.addEventListener('click', onClick, listening)
  onScopeDispose(() => listening.abort())

  return { format, settle }
}
