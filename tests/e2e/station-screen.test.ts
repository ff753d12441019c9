import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { typedForms } from '@escale/protocol/typed-codes'
import { accessibilityViolations } from '../support/axe.ts'
import { findChromium, openBrowser, openContext } from '../support/chromium.ts'
import { startScreen } from '../support/screen.ts'

const CODE = 'ABCD-2345'
const found = await findChromium()
const faults: string[] = []

let browser: Browser
let screen: Awaited<ReturnType<typeof startScreen>>
let page: Page

beforeAll(async () => {
  if ('missing' in found) return
  browser = await openBrowser(found)
})
afterAll(() => browser.close())

beforeEach(async (context) => {
  context.skip('missing' in found, 'missing' in found ? found.missing : '')
  screen = await startScreen()
  context.onTestFinished(screen.stop)
  const opened = await openContext(browser, faults)
  context.onTestFinished(() => opened.close())
  page = await opened.newPage()
  await page.goto(screen.url)
  await page.locator('[data-phase="locked"]').waitFor()
})

const field = () => page.locator('#code')
const sent = () => expect.poll(() => screen.codes.map((code) => code.replace('-', '')))
type Keystroke = readonly [key: string, code: string]
/** The interval between two keys of a scanner. It does not depend on how busy this machine is. */
const SCANNER_GAP_S = 0.005
/** The pause between the last typed key and the scan. */
const PAUSE_S = 1
/** Sends keystrokes: for each key its character and its position. The page gets the given time of each. */
const press = async (keys: readonly Keystroke[]) => {
  const client = await page.context().newCDPSession(page)
  const startS = Date.now() / 1_000 + PAUSE_S
  for (const [index, [key, code]] of keys.entries())
    for (const type of ['keyDown', 'keyUp'] as const)
      await client.send('Input.dispatchKeyEvent', {
        ...{ type, key, code, timestamp: startS + index * SCANNER_GAP_S },
        text: type === 'keyDown' && key.length === 1 ? key : undefined,
      })
}
const keystrokeOf = (char: string): Keystroke => {
  if (char === '-') return [char, 'Minus']
  if (char === ' ') return [char, 'Space']
  return [char, /\d/.test(char) ? `Digit${char}` : `Key${char}`]
}
const scan = (text: string) => press(Array.from(text, keystrokeOf))
const letter = (char: string) => [char.toLowerCase(), `Key${char}`] as const
/** The digit keys of a French keyboard without Shift. */
const azerty = Array.from('à&é"\'(-è_ç').map((key, digit) => [key, `Digit${digit}`] as const)
const asAzerty = (code: string) =>
  Array.from(code.replace('-', '')).map((char) => azerty[Number(char)] ?? letter(char))

describe('a code on the station’s screen', () => {
  test.for(typedForms)('pasted %s is recognised and sent', async ([, typed]) => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(typed(CODE))})`)
    await page.keyboard.press('Control+V')
    expect(await field().inputValue()).toBe(CODE)
    await page.keyboard.press('Enter')
    await sent().toEqual(['ABCD2345'])
  })

  test.for(['Enter', 'Tab'])('from a scanner that ends with %s is sent', async (end) => {
    await scan(CODE)
    await page.keyboard.press(end)
    await sent().toEqual(['ABCD2345'])
  })

  test('scanned while the focus is outside the field is sent too', async () => {
    await page.getByRole('heading').click()
    await page.keyboard.type(` ${CODE} `)
    await page.keyboard.press('Enter')
    await sent().toEqual(['ABCD2345'])
    await page.getByRole('button', { name: 'Appeler l’accueil' }).focus()
    await page.keyboard.type('ZYXW-9876')
    await page.keyboard.press('Enter')
    await sent().toEqual(['ABCD2345', 'ZYXW9876'])
    await page.getByRole('button', { name: 'English' }).click()
    await scan(` ${CODE}`)
    await page.keyboard.press('Tab')
    await sent().toEqual(['ABCD2345', 'ZYXW9876', 'ABCD2345'])
    expect(screen.acts).toEqual([])
  })

  test.for(['ABC', 'ZYXW-9876'])('replaces %s, which was in the field before', async (left) => {
    await page.keyboard.type(left)
    await scan(CODE)
    await page.keyboard.press('Enter')
    await sent().toEqual(['ABCD2345'])
  })

  test('scanned after a refused one replaces it, wherever the focus is', async () => {
    await page.keyboard.type('ZYXW-9876')
    await page.keyboard.press('Enter')
    screen.show({ entry: { kind: 'refused', code: 'code-refused' } })
    await page.locator('.refusal').waitFor()
    await page.getByRole('heading').click()
    await page.keyboard.type(CODE, { delay: 120 })
    expect(await field().inputValue()).toBe(CODE)
  })

  test.for([CODE, 'AB6C-D278', 'ABCD-6238', '6688-2345', 'ABCD-6688', '2345-6789'])(
    'can be typed on a French keyboard without Shift for the digits: %s',
    async (code) => {
      await press(asAzerty(code))
      await page.keyboard.press('Enter')
      await sent().toEqual([code.replace('-', '')])
    },
  )

  test.for([
    ['6', '-'],
    ['8', '_'],
  ] as const)('takes the dash on the key %s of a French keyboard as a separator', async ([digit, dash]) => {
    const keys = Array.from('ABCD2345').map((char) =>
      /\d/.test(char) ? ([char, `Digit${char}`] as const) : letter(char),
    )
    await press([...keys.slice(0, 4), [dash, `Digit${digit}`], ...keys.slice(4)])
    await page.keyboard.press('Enter')
    await sent().toEqual(['ABCD2345'])
  })

  test('typed by hand can be corrected in the middle, and Tab moves to the button', async () => {
    await page.keyboard.type('ABXD-2345', { delay: 120 })
    for (let i = 0; i < 6; i += 1) await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Backspace')
    await page.keyboard.type('C')
    expect(await field().inputValue()).toBe(CODE)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement?.textContent?.trim()')).toBe('Commencer')
    expect(screen.codes).toEqual([])
  })
})

describe('the station’s screen', () => {
  test('recovers while another program keeps opening streams', async () => {
    const streams = new AbortController()
    const openStream = async () => {
      const headers = { accept: 'text/event-stream' }
      const response = await fetch(`${screen.url}api/state`, { headers, signal: streams.signal })
      void response.body?.pipeTo(new WritableStream()).catch(() => undefined)
    }
    const flood = setInterval(() => void openStream().catch(() => undefined), 20)
    try {
      screen.show({ phase: 'maintenance' })
      await page.locator('[data-phase="maintenance"]').waitFor({ timeout: 5_000 })
      await page.reload()
      await page.locator('[data-phase="maintenance"]').waitFor({ timeout: 5_000 })
      screen.show({ phase: 'locked' })
      await page.locator('[data-phase="locked"]').waitFor({ timeout: 5_000 })
    } finally {
      clearInterval(flood)
      streams.abort()
    }
  })

  test('announces a refusal once during its countdown, and then shows that a code can be typed again', async () => {
    await page.evaluate(`new MutationObserver((changes) => {
      for (const { target } of changes)
        window.spoken = [...(window.spoken ?? []), target.textContent.trim()].filter(Boolean)
    }).observe(document.querySelector('[role=alert]#code-spoken'), { childList: true, characterData: true, subtree: true })`)
    await page.keyboard.type(CODE)
    await page.keyboard.press('Enter')
    screen.show({ entry: { kind: 'checking' } })
    screen.show({ entry: { kind: 'refused', code: 'code-throttled', retryAfterSeconds: 3 } })
    await page.getByText('Nouvel essai possible dans 3\u00a0secondes.').first().waitFor()
    await page.getByText('Vous pouvez de nouveau saisir un code.').waitFor({ timeout: 10_000 })
    const spoken = await page.evaluate<string[]>('window.spoken')
    expect(new Set(spoken).size).toBe(1)
    expect(spoken[0]).toContain('Trop de codes incorrects')
  })

  const active = {
    phase: 'active',
    displayName: 'Zoé',
    timeZone: 'America/Martinique',
    countdown: { remainingMs: 900_000, grantedSeconds: 1_800, endsAt: '2026-11-26T14:05:00.000Z' },
  } as const

  test('shows times in the site’s time zone, whatever the station’s is', async () => {
    screen.show(active)
    await page.getByText('Fin de la session à 10\u00a0h\u00a005').waitFor()
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByText(/Session ends at 10:05\sAM/).waitFor()
    screen.show({ timeZone: 'Nowhere/Atlantis' })
    await page.getByText(/Session ends at \d+:05\s[AP]M/).waitFor()
  })

  test('asks before it ends a session, in a dialog that keeps the focus and returns it', async () => {
    screen.show(active)
    const opener = page.getByRole('button', { name: 'Terminer ma session' })
    await opener.click()
    const dialog = page.getByRole('dialog', { name: /Terminer votre session/ })
    await dialog.waitFor()
    const focused = () => page.evaluate<string>('document.activeElement?.textContent?.trim() ?? ""')
    expect(await focused()).toBe('Continuer ma session')
    const focusedTexts = new Set<string>()
    for (let i = 0; i < 5; i += 1) {
      await page.keyboard.press('Tab')
      focusedTexts.add(await focused())
    }
    expect(focusedTexts).not.toContain('Appeler l’accueil')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    expect(await focused()).toBe('Terminer ma session')
    await opener.click()
    await dialog.getByRole('button', { name: 'Oui, terminer' }).click()
    await expect.poll(() => screen.acts).toEqual(['end'])
  })

  test('says what is forgotten before it ends a session', async () => {
    screen.show(active)
    await page.getByRole('button', { name: 'Terminer ma session' }).click()
    const dialog = page.getByRole('dialog', { name: /Terminer votre session/ })
    expect(await dialog.getByRole('listitem').allInnerTexts()).toEqual([
      'vos fichiers et vos téléchargements',
      'votre historique et vos mots de passe',
      'les sites où vous êtes connecté',
    ])
    await dialog.getByText('Le temps restant sera perdu.').waitFor()
  })

  const terms = 'Respectez le matériel.\nLes impressions sont payantes.'

  test('shows the terms and the granted time first, and an Enter meant for the code accepts nothing', async () => {
    screen.show({ ...active, terms, hasTermsToAccept: true })
    await page.getByRole('region', { name: 'Conditions d’utilisation' }).getByText(terms).waitFor()
    await page.getByText('sur 30\u00a0minutes').waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Space')
    expect(screen.acts).toEqual([])
    const reached = new Set<string>()
    for (let i = 0; i < 12; i += 1) {
      await page.keyboard.press('Tab')
      reached.add(await page.evaluate<string>('document.activeElement?.textContent?.trim() ?? ""'))
    }
    expect([...reached]).toEqual(expect.arrayContaining(['J’accepte et je commence', 'Je refuse', terms]))
    await page.getByRole('button', { name: 'J’accepte et je commence' }).press('Enter')
    await expect.poll(() => screen.acts).toEqual(['accept'])
  })

  test('ends the session of a visitor who refuses the terms, after asking', async () => {
    screen.show({ ...active, terms, hasTermsToAccept: true })
    await page.getByRole('button', { name: 'Je refuse' }).click()
    const dialog = page.getByRole('dialog', { name: /Refuser et terminer/ })
    await dialog.getByRole('button', { name: 'Relire les conditions' }).click()
    await dialog.waitFor({ state: 'hidden' })
    expect(screen.acts).toEqual([])
    await page.getByRole('button', { name: 'Je refuse' }).click()
    await dialog.getByRole('button', { name: 'Oui, terminer' }).click()
    await expect.poll(() => screen.acts).toEqual(['end'])
  })

  test('says to save now, with a countdown, from the last warning on', async () => {
    const countdown = { ...active.countdown, remainingMs: 11_500, lastWarningSeconds: 10 }
    screen.show({ ...active, countdown })
    await page.getByRole('heading', { name: 'Bonjour Zoé' }).waitFor()
    await page.getByRole('heading', { name: 'Votre session se termine' }).waitFor()
    await page.getByText('Enregistrez votre travail maintenant.').waitFor()
    expect(await page.getByRole('timer').innerText()).toMatch(/^0:(10|09|08)$/)
  })

  test('plays a tone with each warning, where the site wants it', async () => {
    await page.evaluate(`
      window.notes = 0
      const start = OscillatorNode.prototype.start
      OscillatorNode.prototype.start = function (...when) { window.notes += 1; return start.apply(this, when) }`)
    const notes = () => page.evaluate<number>('window.notes')
    screen.show({ ...active, warningSeconds: 300 })
    await page.getByText('Il vous reste 5\u00a0minutes.', { exact: false }).waitFor()
    expect(await notes()).toBe(0)
    screen.show({ areWarningsHeard: true, warningSeconds: undefined })
    screen.show({ warningSeconds: 120 })
    await page.getByText('Il vous reste 2\u00a0minutes.', { exact: false }).waitFor()
    await expect.poll(notes).toBe(2)
  })

  test('calls staff with a reason in the site’s language, by the keyboard, and takes no code meanwhile', async () => {
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('button', { name: 'Call staff' }).press('Enter')
    const dialog = page.getByRole('dialog', { name: 'What do you need?' })
    await dialog.waitFor()
    await dialog.getByLabel('To print or scan').press('Space')
    await page.keyboard.press('Tab')
    await page.keyboard.type('ABCD-2345 page 2')
    await page.keyboard.press('Enter')
    await expect.poll(() => screen.acts).toEqual(['call-staff D’imprimer ou de numériser – ABCD-2345 page 2'])
    await dialog.waitFor({ state: 'hidden' })
    expect(screen.codes).toEqual([])
    expect(await field().inputValue()).toBe('')
    await page.getByRole('button', { name: 'Call staff' }).click()
    expect(await dialog.getByLabel('Add details if you like').inputValue()).toBe('')
    expect(await dialog.getByRole('radio', { checked: true }).count()).toBe(0)
  })

  test('forgets the visitor’s language, text size and contrast, and an open question, after the session', async () => {
    screen.show(active)
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('button', { name: /3\/3/ }).click()
    await page.getByRole('button', { name: 'High contrast' }).click()
    await page.getByRole('button', { name: 'Call staff' }).click()
    await page.getByRole('dialog').waitFor()
    screen.show({ phase: 'cleaning', countdown: undefined })
    await page.getByRole('heading', { name: 'Un instant…' }).waitFor()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    expect(await page.evaluate('({ ...document.documentElement.dataset })')).toEqual({
      text: '1',
      contrast: 'normal',
    })
  })

  test.for([
    ['lock', 'Ce poste ne peut pas se verrouiller'],
    ['open', 'Ce poste ne peut pas s’ouvrir'],
    ['clean', 'Ce poste n’est pas prêt'],
  ] as const)('says it when the station cannot %s', async ([failedAct, title]) => {
    screen.show(failedAct === 'open' ? { ...active, failedAct } : { failedAct })
    await page.getByRole('heading', { name: title }).waitFor()
    expect(await page.getByRole('timer').count()).toBe(failedAct === 'open' ? 1 : 0)
    expect(await page.getByRole('button', { name: 'Terminer ma session' }).count()).toBe(
      failedAct === 'open' ? 1 : 0,
    )
    screen.show({ phase: 'locked', countdown: undefined, failedAct: undefined })
    await page.getByRole('heading', { name: 'Bienvenue' }).waitFor()
  })

  const pages: readonly (readonly [name: string, change: Parameters<typeof screen.show>[0]])[] = [
    ['locked', { phase: 'locked' }],
    ['refused', { phase: 'locked', entry: { kind: 'refused', code: 'code-refused' } }],
    ['start', { ...active, terms, hasTermsToAccept: true }],
    ['active', { ...active, warningSeconds: 120, notices: [{ id: 'n', text: terms, level: 'info' }] }],
    ['ending', { ...active, countdown: { ...active.countdown, remainingMs: 9_000, lastWarningSeconds: 10 } }],
    ['suspended', { phase: 'suspended', suspended: { remainingSeconds: 600, limitMs: 900_000 } }],
    ['maintenance', { phase: 'maintenance' }],
    ['cleaning', { phase: 'cleaning' }],
    ['failed', { ...active, failedAct: 'open' }],
    ['pairing', { phase: 'pairing', pairingCode: '4821' }],
  ]

  test.for(pages)('is accessible and fits in both languages and every look: %s', async ([, change]) => {
    screen.show(change)
    await page.locator(`[data-phase="${change.phase}"]`).waitFor()
    for (const language of ['Français', 'English'])
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.getByRole('button', { name: language }).click()
        expect(await accessibilityViolations(page)).toEqual([])
      }
    await page.getByRole('button', { name: 'High contrast' }).click()
    expect(await accessibilityViolations(page)).toEqual([])
    await page.getByRole('button', { name: /3\/3/ }).click()
    for (const [width, height] of [
      [360, 640],
      [1280, 800],
      [3840, 2160],
    ] as const) {
      await page.setViewportSize({ width, height })
      for (const language of ['fr', 'en']) {
        await page.locator(`button[lang=${language}]`).click()
        expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(
          0,
        )
      }
    }
  })

  test('shows long names, and no message covers the countdown, on a telephone with the largest text', async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    await page.getByRole('button', { name: /3\/3/ }).click()
    const long = 'Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftsch'
    const notices = [{ id: 'n', text: `${long} ${long}`, level: 'info' as const }]
    screen.show({ ...active, displayName: long, label: long, siteName: long, notices })
    await page.locator('.notice').waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    const [notice, clock] = [
      await page.locator('.notices').boundingBox(),
      await page.locator('.dial').boundingBox(),
    ]
    expect(notice!.y + notice!.height).toBeLessThanOrEqual(clock!.y)
  })

  test('breaks no line at the hyphen of a compound word', async () => {
    screen.show({ phase: 'suspended', suspended: { remainingSeconds: 60, limitMs: 60_000 } })
    const word = page.getByText('Adressez-vous', { exact: true })
    for (let width = 320; width <= 420; width += 10) {
      await page.setViewportSize({ width, height: 740 })
      expect(
        await word.evaluate(
          (element: { getClientRects: () => { length: number } }) => element.getClientRects().length,
        ),
      ).toBe(1)
    }
  })

  test('never violates its own Content-Security-Policy', () => {
    expect(faults).toEqual([])
  })
})
