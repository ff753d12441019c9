import type { Page } from 'playwright-core'

/** The station's screen as a visitor uses it. */
export function stationPage(page: Page, url: string) {
  const clock = page.locator('.clock')
  return {
    page,
    open: () => page.goto(url),

    async typeCode(code: string) {
      await page.getByLabel('Votre code d’accès').fill(code)
      await page.getByRole('button', { name: 'Commencer' }).click()
    },

    /** Calls staff, for no reason if none is given. */
    async callStaff(reason?: string, details = '') {
      await page.getByRole('button', { name: 'Appeler l’accueil' }).click()
      const dialog = page.getByRole('dialog', { name: 'De quoi avez-vous besoin' })
      if (reason !== undefined) await dialog.getByLabel(reason).check()
      await dialog.getByLabel('Précisez si vous le souhaitez').fill(details)
      await dialog.getByRole('button', { name: 'Appeler' }).click()
    },

    refusal: () => page.locator('#code-refusal').innerText(),
    clock,
    /** Seconds shown on the countdown. */
    seconds: async () => secondsOf(await clock.innerText()),

    /** Resolves once the page shows this phase of the station: locked, active, suspended ... */
    async waitForPhase(phase: string, withinMs = 10_000) {
      await page.locator(`[data-phase="${phase}"]`).waitFor({ timeout: withinMs })
    },
    /** Every text that the countdown shows in this time. */
    observeClock: (forMs: number) =>
      page.evaluate<string[]>(`new Promise((resolve) => {
        const seen = new Set()
        const untilMs = performance.now() + ${forMs}
        const look = () => {
          seen.add(document.querySelector('.clock')?.textContent.trim())
          if (performance.now() < untilMs) requestAnimationFrame(look)
          else resolve([...seen])
        }
        look()
      })`),
    warning: (text: string) => page.getByText(text),
    focused: () => page.evaluate<string>('document.activeElement?.textContent?.trim() ?? ""'),
  }
}

export type StationPage = ReturnType<typeof stationPage>

/** `4:05`, `1:00:00` in seconds. */
const secondsOf = (text: string) =>
  text
    .trim()
    .split(':')
    .reduce((sum, part) => sum * 60 + Number(part), 0)
