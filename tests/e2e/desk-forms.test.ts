import type { SessionPage, UserPage } from '@escale/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findChromium } from '../support/chromium.ts'
import { openDeskSite, type DeskSite, type OpenDesk } from '../support/desk-site.ts'

/** Two cores are shared with a browser, a server and an agent. */
const SOON = { timeout: 10_000 }
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
  (await site.api.get<UserPage>(`/api/utilisateurs/?search=${name}`)).results
const press = (key: string) => desk.page.keyboard.press(key)
/** The label of the field that has the focus, or the words of what has. */
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
async function leave() {
  await press('Escape')
  await desk.dialog.waitFor({ state: 'hidden' })
}

describe('a form at the desk', () => {
  test('is sent by Enter from any field, and a consent that was given stays given', async () => {
    await open('Nouveau visiteur')
    await field('Prénom').fill('Fatou')
    await field('Nom de famille').fill('Traoré')
    await desk.dialog.getByRole('checkbox', { name: /consentement/ }).press('Space')
    await press('Enter')
    await desk.dialog.waitFor({ state: 'hidden' })
    expect(await visitorsNamed('Traoré')).toMatchObject([{ firstName: 'Fatou', consentGiven: true }])
    // The keyboard goes on from where it was.
    await expect.poll(focused, SOON).toBe('Nouveau visiteur')
  })

  test('leads to the first field to mend, wherever it is, and sends twice what is pressed twice never', async () => {
    await open('Nouveau visiteur')
    await field('Nom de famille').press('Enter')
    await expect.poll(focused, SOON).toBe('Prénom')
    await field('Prénom').fill('Inès')
    await field('Nom de famille').fill('Péron')
    await desk.dialog.locator('summary').click()
    await field('Adresse électronique').fill('sans arobase')
    await desk.dialog.locator('summary').click()
    await field('Prénom').press('Enter')
    await expect.poll(focused, SOON).toBe('Adresse électronique')
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

  test('takes a new line in a text and the choice of an open list for what they are', async () => {
    await open('Nouvelle session')
    const station = field('Poste')
    await station.focus()
    await press('Space')
    await press('ArrowDown')
    await press('Enter')
    await expect.poll(() => station.inputValue(), SOON).toBe('poste-01')
    expect(await desk.dialog.getByText('Choisissez un visiteur', { exact: false }).count()).toBe(0)
    await leave()
    await open('Nouveau visiteur')
    await desk.dialog.locator('summary').click()
    await field('Remarques').fill('une')
    await press('Enter')
    await desk.page.keyboard.type('deux')
    expect(await field('Remarques').inputValue()).toBe('une\ndeux')
    await leave()
  })
})

describe('the visitor of a new session', () => {
  test('is chosen by Enter when one alone is meant, and the name of nobody does not stay', async () => {
    await open('Nouvelle session')
    await field('Visiteur').click()
    await desk.page.keyboard.type('dial')
    await press('Enter')
    await expect.poll(() => field('Visiteur').inputValue(), SOON).toBe('Amadou Diallo')
    // Changed after the choice, it is nobody's.
    await field('Visiteur').fill('Amadou Dia')
    await press('Tab')
    await expect.poll(() => field('Visiteur').inputValue(), SOON).not.toBe('Amadou Dia')
    await field('Visiteur').fill('personne de ce nom')
    await press('Enter')
    await desk.page.getByText('Aucun visiteur trouvé.').waitFor()
    await press('Tab')
    await expect.poll(() => field('Visiteur').inputValue(), SOON).toBe('')
    await leave()
  })

  test('is told apart from another of the same name before Enter takes the one that is marked', async () => {
    await open('Nouvelle session')
    await field('Visiteur').click()
    await desk.page.keyboard.type('lefèvre')
    await press('Enter')
    const marked = desk.page.locator('[role="option"].q-manual-focusable--focused')
    await marked.waitFor()
    expect(await field('Visiteur').inputValue()).toBe('lefèvre')
    const hint = await marked.locator('.q-item__label--caption').innerText()
    await press('Enter')
    await expect.poll(() => field('Visiteur').inputValue(), SOON).toBe('Zoé Lefèvre')
    await desk.dialog.locator('.q-field__bottom').getByText(hint).waitFor()
    await leave()
  })

  test('has the code told and focused, and a second one is warned of', async () => {
    const create = async () => {
      await open('Nouvelle session')
      await field('Visiteur').click()
      await desk.page.keyboard.type('dial')
      await press('Enter')
      await expect.poll(() => field('Visiteur').inputValue(), SOON).toBe('Amadou Diallo')
    }
    await create()
    await press('Enter')
    const code = await desk.page.getByTestId('access-code').innerText()
    await expect.poll(focused, SOON).toBe(code)
    const told = await desk.dialog.getByRole('status').first().textContent()
    expect(told?.replaceAll(/[ .]/g, '')).toContain(code)
    await desk.dialog.getByRole('button', { name: 'C’est fait' }).click()
    await desk.dialog.waitFor({ state: 'hidden' })

    await create()
    await desk.dialog.getByText('Un code attend déjà Amadou Diallo', { exact: false }).waitFor()
    await desk.dialog.getByRole('button', { name: 'Annuler ce code' }).click()
    await desk.dialog.getByText('Un code attend déjà', { exact: false }).waitFor({ state: 'hidden' })
    await desk.dialog.getByRole('button', { name: 'Créer la session' }).waitFor()
    await leave()

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
    const { results } = await site.api.get<SessionPage>(`/api/sessions/?userId=${visitor?.id ?? ''}`)
    expect(results.map(({ state, grantedSeconds }) => [state, grantedSeconds])).toContainEqual([
      'active',
      4_800,
    ])
    expect(site.faults).toEqual([])
  })
})
