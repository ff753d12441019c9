import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startAgent, type RunningAgent } from '../support/agent.ts'
import { findChromium, openContext } from '../support/chromium.ts'
import { openDeskSite, type DeskSite, type OpenDesk } from '../support/desk-site.ts'
import { stationPage, type StationPage } from '../support/station-page.ts'

const STATION = { id: 'poste-07', label: 'Poste 07', macAddress: '02:00:5e:00:00:07' }
/** Browser, server and agent share two cores. */
const SLOW_MACHINE = { timeout: 10_000 }
const found = await findChromium()

let site: DeskSite
let agent: RunningAgent
let station: StationPage

beforeAll(async () => {
  if ('missing' in found) return
  site = await openDeskSite(found)
  await site.station(STATION.id, STATION.label, STATION.macAddress)
  agent = await startAgent(site.server, STATION.macAddress)
  const context = await openContext(site.browser, site.faults)
  station = stationPage(await context.newPage(), agent.screenUrl)
})
afterAll(async () => {
  if ('missing' in found) return
  await agent.dispose()
  await site.close()
})
beforeEach((context) => {
  context.skip('missing' in found, 'missing' in found ? found.missing : '')
})

/** Counts the sounds that a page plays from now on. */
async function listenTo({ page }: OpenDesk): Promise<() => Promise<number>> {
  await page.evaluate(`
    window.notes = 0
    const start = OscillatorNode.prototype.start
    OscillatorNode.prototype.start = function (...when) { window.notes += 1; return start.apply(this, when) }`)
  return () => page.evaluate<number>('window.notes')
}

const cards = ({ page }: OpenDesk) => page.getByTestId('calls').getByRole('listitem')

describe('a call for help', () => {
  test('is shown and heard on every page of every operator, and the station shows when one operator takes it', async () => {
    const [one, other] = [await site.desk(), await site.desk()]
    const [notesOfOne, notesOfOther] = [await listenTo(one), await listenTo(other)]
    await other.page.getByRole('link', { name: 'Visiteurs' }).click()

    await station.open()
    await station.waitForPhase('locked')
    await station.callStaff('De plus de temps', 'mon CV')
    await station.page.getByText('L’accueil est prévenu.').waitFor()
    for (const desk of [one, other]) {
      await cards(desk).getByText('Poste 07').waitFor()
      await cards(desk).getByText('De plus de temps – mon CV').waitFor()
      await cards(desk)
        .getByText(/attend depuis/)
        .waitFor()
      await expect.poll(() => desk.page.title(), SLOW_MACHINE).toMatch(/^\(1 appel\) .* · Escale$/)
    }
    await expect.poll(notesOfOne, SLOW_MACHINE).toBe(2)
    await expect.poll(notesOfOther, SLOW_MACHINE).toBe(2)

    await one.page.getByRole('button', { name: 'J’y vais\u00a0: Poste 07' }).click()
    await station.page.getByText('Quelqu’un arrive.').waitFor()
    await expect.poll(() => cards(other).innerText(), SLOW_MACHINE).toContain('admin s’en occupe depuis')
    await expect.poll(() => other.page.title(), SLOW_MACHINE).toBe('Visiteurs · Escale')

    await other.page.getByRole('button', { name: 'C’est réglé\u00a0: Poste 07' }).click()
    await cards(one).waitFor({ state: 'hidden' })
    await station.page.getByText('Quelqu’un arrive.').waitFor({ state: 'hidden' })
    await Promise.all([one.close(), other.close()])
    expect(site.faults).toEqual([])
  })

  test('is still shown after a restart of the server, and is not heard where the sound is off', async () => {
    const desk = await site.desk()
    await callAgain()
    await cards(desk).waitFor()
    await desk.page.getByRole('button', { name: 'Couper le son' }).click()
    await desk.page.reload()
    await cards(desk).waitFor()
    await desk.page.getByRole('button', { name: 'Remettre le son' }).waitFor()
    const notes = await listenTo(desk)

    await site.server.kill()
    await site.server.restart()
    await desk.liveBadge('En direct').waitFor()
    await cards(desk).getByText('Poste 07').waitFor()
    expect(await notes()).toBe(0)
    await desk.page.getByRole('button', { name: 'C’est réglé\u00a0: Poste 07' }).click()
    await cards(desk).waitFor({ state: 'hidden' })
    await desk.close()
    expect(site.faults).toEqual([])
  })

  test('is shown as failed on the station while the server is down', async () => {
    await site.server.kill()
    await station.page.reload()
    await station.page.getByText('Le serveur ne répond pas', { exact: false }).first().waitFor()
    await station.callStaff()
    await station.page.getByText('L’appel n’a pas abouti.', { exact: false }).waitFor()
    expect(await station.page.getByText('L’accueil est prévenu.').count()).toBe(0)
    await site.server.restart()
  })
})

/** The button is disabled for a minute after a call. */
async function callAgain(): Promise<void> {
  const button = station.page.getByRole('button', { name: 'Appeler l’accueil' })
  await expect.poll(() => button.getAttribute('aria-disabled'), { timeout: 70_000 }).not.toBe('true')
  await station.callStaff()
}
