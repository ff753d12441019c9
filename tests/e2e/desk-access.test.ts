import type { SettingsAnswer } from '@escale/protocol'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { accessibilityViolations } from '../support/axe.ts'
import { findChromium, openContext } from '../support/chromium.ts'
import { openDeskSite, type DeskSite } from '../support/desk-site.ts'

const SLOW_MACHINE = { timeout: 10_000 }
const found = await findChromium()
let site: DeskSite

beforeAll(async () => {
  if ('missing' in found) return
  site = await openDeskSite(found)
  await site.station('poste-01', 'Poste 01')
  const zoe = await site.visitor('Zoé', 'Lefèvre', { birthDate: '1994-05-17' })
  const session = { userId: zoe.id, stationId: 'poste-01', minutes: 45 }
  const { id } = await site.api.post<{ id: string }>('/api/sessions/', session)
  await site.api.post(`/api/sessions/${id}/start/`)
})
afterAll(async () => {
  if (!('missing' in found)) await site.close()
})
beforeEach((context) => {
  context.skip('missing' in found, 'missing' in found ? found.missing : '')
})

const signIn = async (page: Page) => {
  await page.getByLabel('Identifiant').fill(site.server.username)
  await page.getByLabel('Mot de passe', { exact: true }).fill(site.server.password)
  await page.keyboard.press('Enter')
  await page.getByText('En direct', { exact: true }).waitFor()
}

describe('a browser that blocks storage', () => {
  /** As when site data are blocked: any access to a store throws. */
  const BLOCK_STORAGE = `for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])
    Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError') } })
  window.BroadcastChannel = class { constructor() { throw new DOMException('denied', 'SecurityError') } }
  window.AudioContext = undefined`

  test('shows an explanation on the sign-in page, and an operator can work', async () => {
    const context = await openContext(site.browser, site.faults)
    await context.addInitScript({ content: BLOCK_STORAGE })
    const page = await context.newPage()
    await page.goto(site.server.url)
    await page.getByText('Ce navigateur bloque les données de ce site.', { exact: false }).waitFor()
    await signIn(page)
    await page.getByRole('article', { name: 'Poste 01' }).waitFor()
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByText('Live', { exact: true }).waitFor()
    await context.close()
    expect(site.faults).toEqual([])
  })
})

describe('the sign-in page', () => {
  test('shows the current error and no longer the previous one', async () => {
    const page = await site.page()
    await page.getByLabel('Identifiant').fill('admin')
    await page.getByLabel('Mot de passe', { exact: true }).fill('faux')
    await page.keyboard.press('Enter')
    await page.getByText('Identifiant ou mot de passe incorrect.').waitFor()
    await page.getByLabel('Mot de passe', { exact: true }).fill('')
    await page.keyboard.press('Enter')
    await page.getByText('Remplissez ce champ.').waitFor()
    expect(await page.getByText('Identifiant ou mot de passe incorrect.').count()).toBe(0)
    await page.context().close()
  })
})

describe('hours and dates', () => {
  test('are shown in the site’s time zone whatever the browser’s, and a birth date does not shift', async () => {
    const settings = await site.api.get<SettingsAnswer>('/api/parametres/')
    const desk = await site.desk({ timezoneId: 'UTC' })
    const card = desk.card('Poste 01')
    const endOf = async () => /fin à (\d\d:\d\d)/.exec(await card.innerText())?.[1]
    const { endsAt = '' } = await site.api.get<{ endsAt?: string }>('/api/postes/poste-01/session_active/')
    const at = (timeZone: string) =>
      new Intl.DateTimeFormat('fr', { timeZone, hour: '2-digit', minute: '2-digit' }).format(new Date(endsAt))
    await expect.poll(endOf, SLOW_MACHINE).toBe(at(settings.timeZone))
    // A time zone that changes while the page is open is used at once.
    await site.api.put('/api/parametres/', { ...settings, timeZone: 'America/Martinique' })
    await expect.poll(endOf, SLOW_MACHINE).toBe(at('America/Martinique'))

    const there = await site.desk({ timezoneId: 'America/Martinique' })
    await there.page.getByRole('button', { name: 'Nouvelle session' }).first().click()
    await there.dialog.getByLabel('Visiteur', { exact: true }).fill('lefèvre')
    await there.page.getByRole('option').getByText('17 mai 1994').waitFor()
    await Promise.all([desk.close(), there.close()])
  })
})

describe('at 400 % zoom', () => {
  test('no fixed element covers the focused one, and the page does not scroll sideways', async () => {
    const desk = await site.desk({ viewport: { width: 320, height: 256 } })
    const hidden: string[] = []
    for (let step = 0; step < 30; step += 1) {
      await desk.page.keyboard.press('Tab')
      const fault = await desk.page.evaluate<string>(`(() => {
        const one = document.activeElement
        if (one === document.body) return ''
        const { left, top, width, height } = one.getBoundingClientRect()
        const above = document.elementFromPoint(left + width / 2, top + Math.min(height, innerHeight) / 2)
        return above !== null && (one.contains(above) || above.contains(one)) ? '' : one.outerHTML.slice(0, 120)
      })()`)
      if (fault !== '') hidden.push(fault)
    }
    expect(hidden).toEqual([])
    const isWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth'
    expect(await desk.page.evaluate(isWide)).toBe(false)
    await desk.close()
  })
})

describe.each([
  ['fr', 'light'],
  ['en', 'dark'],
  ['fr', 'dark'],
  ['en', 'light'],
] as const)('the pages in %s, %s', (language, colorScheme) => {
  const words = {
    fr: { commands: 'Commandes', visitor: 'Nouveau visiteur', session: 'Nouvelle session', who: 'Visiteur' },
    en: { commands: 'Commands', visitor: 'New visitor', session: 'New session', who: 'Visitor' },
  }[language]

  test('meet WCAG 2.2 AA, also with menus and dialogs open', async () => {
    const options: BrowserContextOptions = { colorScheme, bypassCSP: true }
    const login = await site.page(options)
    expect(await accessibilityViolations(login)).toEqual([])
    await login.context().close()

    const { page, dialog, close } = await site.desk(options)
    if (language === 'en') await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('article', { name: 'Poste 01' }).waitFor()
    expect(await accessibilityViolations(page)).toEqual([])

    await page.getByRole('button', { name: words.commands, exact: true }).click()
    await page.getByRole('menuitem').first().waitFor()
    await animationsEnd(page)
    expect(await accessibilityViolations(page)).toEqual([])
    await page.keyboard.press('Escape')

    await page.getByRole('button', { name: words.visitor, exact: true }).click()
    await dialog.locator('summary').click()
    await dialog.getByRole('textbox').first().press('Enter')
    await animationsEnd(page)
    expect(await accessibilityViolations(page)).toEqual([])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })

    await page.getByRole('button', { name: words.session, exact: true }).click()
    await dialog.getByLabel(words.who, { exact: true }).fill('lef')
    await page.locator('.q-menu [role="option"]').first().waitFor()
    await animationsEnd(page)
    expect(await accessibilityViolations(page)).toEqual([])
    await close()
  })
})

/** Waits for the end of animations, because the contrast of a colour during a fade must not be measured. */
const animationsEnd = (page: Page) =>
  page.evaluate(
    `Promise.all(document.getAnimations().filter(({ effect }) => effect.getComputedTiming().iterations < 9)
      .map(({ finished }) => finished.catch(() => undefined))).then(() => undefined)`,
  )
