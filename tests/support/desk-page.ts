import type { Page } from 'playwright-core'
import type { RunningServer } from './server.ts'

export interface VisitorAndMinutes {
  firstName: string
  lastName: string
  minutes: number
}

/** The admin as an operator uses it, found by the texts of its buttons. */
export function deskPage(page: Page, server: RunningServer, stationId: string) {
  const button = (name: string | RegExp, exact = true) => page.getByRole('button', { name, exact })
  const dialog = page.getByRole('dialog')
  const clock = page.getByTestId(`remaining-${stationId}`)

  return {
    page,
    clock,
    /** Seconds shown for the station's session. */
    seconds: async () => Number(await clock.getAttribute('data-seconds')),
    liveBadge: (text: string) => page.getByText(text, { exact: true }),
    card: (label: string) => page.getByRole('article', { name: label }),

    async signIn() {
      await page.goto(server.url)
      await page.getByLabel('Identifiant').fill(server.username)
      await page.getByLabel('Mot de passe', { exact: true }).fill(server.password)
      await button('Se connecter').click()
    },

    async registerVisitor({ firstName, lastName }: VisitorAndMinutes) {
      await button('Nouveau visiteur').first().click()
      await dialog.getByLabel('Prénom').fill(firstName)
      await dialog.getByLabel('Nom de famille').fill(lastName)
      await dialog.getByRole('checkbox', { name: /consentement/ }).click()
      await dialog.getByRole('button', { name: 'Enregistrer' }).click()
      await dialog.waitFor({ state: 'hidden' })
    },

    /** @returns the code as it is shown */
    async createSession({ firstName, lastName, minutes }: VisitorAndMinutes) {
      await button('Nouvelle session').first().click()
      await dialog.getByLabel('Visiteur', { exact: true }).fill(lastName)
      await page.getByRole('option', { name: `${firstName} ${lastName}` }).click()
      await dialog.getByRole('radio', { name: 'Autre' }).check()
      await dialog.getByLabel('Durée en minutes').fill(String(minutes))
      await dialog.getByLabel('Poste', { exact: true }).selectOption(stationId)
      await dialog.getByRole('button', { name: 'Créer la session' }).click()
      const code = await page.getByTestId('access-code').innerText()
      await dialog.getByRole('button', { name: 'C’est fait' }).click()
      await dialog.waitFor({ state: 'hidden' })
      return code.trim()
    },

    async openAddTime() {
      await button('Ajouter du temps').click()
    },
    addTimeStep: (minutes: number) =>
      dialog.getByRole('button', { name: new RegExp(`^\\+${minutes}\\smin$`) }),

    suspend: () => button('Suspendre').click(),
    resume: () => button('Reprendre').click(),
    async terminate() {
      await button('Terminer').click()
      await button('Terminer la session').click()
    },
  }
}

export type DeskPage = ReturnType<typeof deskPage>
