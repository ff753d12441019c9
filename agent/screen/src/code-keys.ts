import { nextTick, onScopeDispose, type Ref } from 'vue'
import { codeIn, createScan, meaningOf, typeInto, wholeCode, type KeyMeaning } from './code-entry.ts'
import { caretAfterFormat, formatTyped, isWhole, significant } from './code-format.ts'

interface CodeKeysOptions {
  input: Ref<HTMLInputElement | undefined>
  code: Ref<string>
  /** Whether the code in the field was refused: input from outside the field then starts a new code. */
  hasRefusal: () => boolean
  submit: () => void
}

const EDITING_KEYS = ['Backspace', 'Delete', 'ArrowLeft', 'ArrowRight', 'Home', 'End']

/** Sends a code to the field, wherever on the page it is typed, scanned or pasted. */
export function useCodeKeys({ input, code, hasRefusal, submit }: CodeKeysOptions) {
  const scan = createScan()
  /** The digits that were perhaps meant by dashes in typed text. */
  let dashes = ''

  /** A dialog is open: its own fields take what is typed. */
  const isAsked = () => document.querySelector('dialog[open]') !== null
  const isInField = () => document.activeElement === input.value

  const show = async (text: string, caret: number) => {
    code.value = text
    await nextTick()
    if (input.value === undefined) return
    input.value.value = text
    input.value.setSelectionRange(caret, caret)
  }

  /** Called when the field's text has changed: formats it as a code. */
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
    if (hasRefusal()) code.value = field.value = ''
    field.focus()
    field.setSelectionRange(field.value.length, field.value.length)
  }

  /** Types the digit of a key for which the browser would type another character. */
  const insertDigit = (meaning: KeyMeaning) => {
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

  /** The code to send, with ambiguous dashes resolved. */
  const takeCode = () => {
    const whole = scan.code() ?? wholeCode({ code: significant(code.value), dashes })
    if (whole !== undefined) code.value = formatTyped(whole)
    dashes = ''
    scan.forget()
    return code.value
  }

  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || isAsked()) return
    if (EDITING_KEYS.includes(event.key)) {
      scan.forget()
      dashes = ''
    }
    // A scanner ends with Tab or Enter. Tab by a person moves the focus to the button as usual.
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
    insertDigit(meaning)
  }

  const onPaste = (event: ClipboardEvent) => {
    const text = codeIn(event.clipboardData?.getData('text') ?? '')
    scan.forget()
    dashes = ''
    if (isAsked() || (isInField() && !isWhole(text))) return
    event.preventDefault()
    takeFocus()
    const pasted = formatTyped(isWhole(text) ? text : code.value + text)
    void show(pasted, pasted.length)
  }

  /** A button that was clicked must not keep the focus: a space in the next scan would press it again. */
  const onClick = (event: MouseEvent) => {
    const isMouse = event instanceof PointerEvent && event.pointerType === 'mouse'
    if (!isMouse || isAsked() || event.target === input.value || getSelection()?.isCollapsed === false) return
    input.value?.focus()
  }

  const listening = new AbortController()
  document.addEventListener('keydown', onKey, listening)
  document.addEventListener('paste', onPaste, listening)
  document.addEventListener('click', onClick, listening)
  onScopeDispose(() => listening.abort())

  return { format, takeCode }
}
