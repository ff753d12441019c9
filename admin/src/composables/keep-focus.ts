/**
 * When the element with the focus is removed, the focus moves to the nearest element around it that is left, else to
 * the button that opened the dialog, else to the page's content. A browser would move it to the body, and the
 * keyboard would start again at the top of the page.
 */
export function keepFocus(): void {
  let around: HTMLElement[] = []
  /** What had the focus last outside dialogs and menus. */
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
    // The component that removed the element may have moved the focus itself.
    if (!isLost(around[0])) return
    const near = around.find((one) => one.isConnected && one.matches(PLACES))
    const before = opener?.isConnected === true ? opener : undefined
    const place = near ?? before ?? document.getElementById('content')
    if (place === null) return
    if (place !== before && !place.hasAttribute('tabindex')) place.tabIndex = -1
    place.focus({ preventScroll: true })
  }
}

/** What Quasar shows above the page. */
const ABOVE = '.q-dialog, .q-menu'

/** Elements that may take the focus when something inside them is removed. */
const PLACES = 'article, section, form, [role="dialog"], [role="alertdialog"], main'

const isLost = (last: HTMLElement | undefined) =>
  last !== undefined && !last.isConnected && document.activeElement === document.body
