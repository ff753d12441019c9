/**
 * When what has the focus is taken off the page, the focus goes to the nearest thing around it that is left, else
 * to where it was before a dialog opened, and at last to the page's content; a browser would drop it to the body,
 * and a keyboard would start from the top.
 */
export function keepFocus(): void {
  let around: HTMLElement[] = []
  /** What had the focus last outside of any dialog or menu. */
  let opener: HTMLElement | undefined

  document.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof HTMLElement)) return
    around = []
    for (let one: HTMLElement | null = target; one !== null; one = one.parentElement) around.push(one)
    if (target.closest(ABOVE) === null) opener = target.closest<HTMLElement>('button, a[href]') ?? target
  })

  new MutationObserver(() => {
    if (isLost(around[0])) requestAnimationFrame(restore)
  }).observe(document.body, { childList: true, subtree: true })

  function restore(): void {
    // Whoever took it away may have given the focus a place meanwhile.
    if (!isLost(around[0])) return
    const near = around.find((one) => one.isConnected && one.matches(PLACES))
    const before = opener?.isConnected === true ? opener : undefined
    const place = near ?? before ?? document.getElementById('content')
    if (place === null) return
    if (place !== before && !place.hasAttribute('tabindex')) place.tabIndex = -1
    place.focus({ preventScroll: true })
  }
}

/** What lies above the page, in a portal of its own. */
const ABOVE = '.q-dialog, .q-menu'

/** Elements that may take the focus once something within them is gone. */
const PLACES = 'article, section, form, [role="dialog"], [role="alertdialog"], main'

const isLost = (last: HTMLElement | undefined) =>
  last !== undefined && !last.isConnected && document.activeElement === document.body
