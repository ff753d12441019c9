import type { Page, Session, User } from '@escale/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { openDeskSite, type DeskSite, type OpenDesk } from '../support/desk-site.ts'

/** Browser, server and agent share two cores. */
const SLOW_MACHINE = { timeout: 10_000 }
const found = await findChromium()
let site: DeskSite
let desk: OpenDesk

beforeAll(async () => {
  if ('missing' in found) return
  site = await openDeskSite(found)
  for (const n of [1, 2]) await site.station(`poste-0${n}`, `Poste 0${n}`)
  await site.visitor('Zoé', 'Lefèvre', { birthDate: '1994-05-17', municipality: 'Le Lamentin' })
  await site.visitor('Zoé', 'Lefèvre', { birthDate: '1960-12-31' })
  await site.visitor('Amadou', 'Diallo')
  desk = await site.desk({ viewport: { width: 1280, height: 620 } })
})
afterAll(async () => {
  if (!('missing' in found)) await site.close()
})
beforeEach((context) => {
  context.skip('missing' in found, 'missing' in found ? found.missing : '')
})

const visitorsNamed = async (name: string) =>
  (await site.api.get<Page<User>>(`/api/utilisateurs/?search=${name}`)).results
const press = (key: string) => desk.page.keyboard.press(key)
/** The label of the focused field, or the text of another focused element. */
const focused = () =>
  desk.page.evaluate<string>(`(() => {
    const one = document.activeElement
    return one.getAttribute('aria-label') || one.labels?.[0]?.textContent.trim() || one.textContent.trim().slice(0, 60)
  })()`)
const open = async (button: string) => {
  await desk.page.getByRole('button', { name: button, exact: true }).first().click()
  await desk.dialog.waitFor()
}
const field = (label: string) => desk.dialog.getByLabel(label, { exact: true })
/** Presses Escape until the dialog is gone: a list of choices that is still closing takes the key for itself. */
async function closeDialog() {
  const isOpenAfterEscape = async () => {
    await press('Escape')
    return desk.dialog.isVisible()
  }
  await expect.poll(isOpenAfterEscape, { ...SLOW_MACHINE, interval: 500 }).toBe(false)
}

describe('a form at the desk', () => {
  test('is sent by Enter from any field, and keeps the consent that was ticked', async () => {
    await open('Nouveau visiteur')
    await field('Prénom').fill('Fatou')
    await field('Nom de famille').fill('Traoré')
    await desk.dialog.getByRole('checkbox', { name: /consentement/ }).press('Space')
    await press('Enter')
    await desk.dialog.waitFor({ state: 'hidden' })
    expect(await visitorsNamed('Traoré')).toMatchObject([{ firstName: 'Fatou', consentGiven: true }])
    // The focus returns to where it was.
    await expect.poll(focused, SLOW_MACHINE).toBe('Nouveau visiteur')
  })

  test('focuses the first invalid field, even a hidden one, and is sent only once when Enter is pressed twice', async () => {
    await open('Nouveau visiteur')
    await field('Nom de famille').press('Enter')
    await expect.poll(focused, SLOW_MACHINE).toBe('Prénom')
    await field('Prénom').fill('Inès')
    await field('Nom de famille').fill('Péron')
    await desk.dialog.locator('summary').click()
    await field('Adresse électronique').fill('sans arobase')
    await desk.dialog.locator('summary').click()
    await field('Prénom').press('Enter')
    await expect.poll(focused, SLOW_MACHINE).toBe('Adresse électronique')
    const [inDialog, inView] = await desk.page.evaluate<boolean[]>(`(() => {
      const [body, mine] = [document.querySelector('.dialog__body'), document.activeElement].map((one) =>
        one.getBoundingClientRect())
      return [mine.top >= body.top && mine.bottom <= body.bottom, mine.top >= 0 && mine.bottom <= innerHeight]
    })()`)
    expect([inDialog, inView]).toEqual([true, true])
    await field('Adresse électronique').fill('ines@example.org')
    await desk.page.evaluate(`for (const type of ['keydown', 'keyup', 'keydown', 'keyup'])
      document.activeElement.dispatchEvent(new KeyboardEvent(type, { key: 'Enter', bubbles: true, cancelable: true }))`)
    await desk.dialog.waitFor({ state: 'hidden' })
    expect(await visitorsNamed('Péron')).toHaveLength(1)
  })

  test('is not sent by Enter in a multi-line text or in an open list', async () => {
    await open('Nouvelle session')
    const station = field('Poste')
    await station.focus()
    await press('Space')
    await press('ArrowDown')
    await press('Enter')
    await expect.poll(() => station.inputValue(), SLOW_MACHINE).toBe('poste-01')
    expect(await desk.dialog.getByText('Choisissez un visiteur', { exact: false }).count()).toBe(0)
    await closeDialog()
    await open('Nouveau visiteur')
    await desk.dialog.locator('summary').click()
    await field('Remarques').fill('une')
    await press('Enter')
    await desk.page.keyboard.type('deux')
    expect(await field('Remarques').inputValue()).toBe('une\ndeux')
    await closeDialog()
  })
})

describe('the visitor of a new session', () => {
  test('is chosen by Enter when only one matches, and a name that matches nobody is removed', async () => {
    await open('Nouvelle session')
    await field('Visiteur').click()
    await desk.page.keyboard.type('dial')
    await press('Enter')
    await expect.poll(() => field('Visiteur').inputValue(), SLOW_MACHINE).toBe('Amadou Diallo')
    // A name that is changed after the choice matches nobody.
    await field('Visiteur').fill('Amadou Dia')
    await press('Tab')
    await expect.poll(() => field('Visiteur').inputValue(), SLOW_MACHINE).not.toBe('Amadou Dia')
    await field('Visiteur').fill('personne de ce nom')
    await press('Enter')
    await desk.page.getByText('Aucun visiteur trouvé.').waitFor()
    await press('Tab')
    await expect.poll(() => field('Visiteur').inputValue(), SLOW_MACHINE).toBe('')
    await closeDialog()
  })

  test('is shown with the birth date when two have the same name, and Enter takes the marked one', async () => {
    await open('Nouvelle session')
    await field('Visiteur').click()
    await desk.page.keyboard.type('lefèvre')
    await press('Enter')
    const marked = desk.page.locator('[role="option"].q-manual-focusable--focused')
    await marked.waitFor()
    expect(await field('Visiteur').inputValue()).toBe('lefèvre')
    const hint = await marked.locator('.q-item__label--caption').innerText()
    await press('Enter')
    await expect.poll(() => field('Visiteur').inputValue(), SLOW_MACHINE).toBe('Zoé Lefèvre')
    await desk.dialog.locator('.q-field__bottom').getByText(hint).waitFor()
    await closeDialog()
  })

  test('gets a code that is announced and focused, and a second code causes a warning', async () => {
    const create = async () => {
      await open('Nouvelle session')
      await field('Visiteur').click()
      await desk.page.keyboard.type('dial')
      await press('Enter')
      await expect.poll(() => field('Visiteur').inputValue(), SLOW_MACHINE).toBe('Amadou Diallo')
    }
    await create()
    await press('Enter')
    const code = await desk.page.getByTestId('access-code').innerText()
    await expect.poll(focused, SLOW_MACHINE).toBe(code)
    const announced = await desk.dialog.getByRole('status').first().textContent()
    expect(announced?.replaceAll(/[ .]/g, '')).toContain(code)
    await desk.dialog.getByRole('button', { name: 'C’est fait' }).click()
    await desk.dialog.waitFor({ state: 'hidden' })

    await create()
    await desk.dialog.getByText('Un code attend déjà Amadou Diallo', { exact: false }).waitFor()
    await desk.dialog.getByRole('button', { name: 'Annuler ce code' }).click()
    await desk.dialog.getByText('Un code attend déjà', { exact: false }).waitFor({ state: 'hidden' })
    await desk.dialog.getByRole('button', { name: 'Créer la session' }).waitFor()
    await closeDialog()

    const [visitor] = await visitorsNamed('Diallo')
    const running = await site.api.post<{ id: string }>('/api/sessions/', {
      ...{ userId: visitor?.id, stationId: 'poste-02', minutes: 20 },
    })
    await site.api.post(`/api/sessions/${running.id}/start/`)
    await create()
    await desk.dialog.getByText(/Amadou Diallo a déjà une session en cours sur Poste 02/).waitFor()
    await desk.dialog.getByRole('button', { name: 'Créer quand même un code' }).waitFor()
    await desk.dialog.getByRole('button', { name: /Y ajouter 1\sh/ }).click()
    await desk.dialog.waitFor({ state: 'hidden' })
    const { results } = await site.api.get<Page<Session>>(`/api/sessions/?userId=${visitor?.id ?? ''}`)
    expect(results.map(({ state, grantedSeconds }) => [state, grantedSeconds])).toContainEqual([
      'active',
      4_800,
    ])
    expect(site.faults).toEqual([])
  })
})
