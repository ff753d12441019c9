import type { Station, User } from '@escale/protocol'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { signIn, type Api } from './api.ts'
import { openBrowser, openContext, type FoundChromium } from './chromium.ts'
import { deskPage } from './desk-page.ts'
import { startServer, type RunningServer } from './server.ts'

export type DeskSite = Awaited<ReturnType<typeof openDeskSite>>

/** A real server and a browser for the admin; `faults` collects script errors and policy violations of its pages. */
export async function openDeskSite(found: FoundChromium) {
  const server: RunningServer = await startServer()
  const api: Api = await signIn(server)
  const browser: Browser = await openBrowser(found)
  const faults: string[] = []

  return {
    server,
    api,
    browser,
    faults,
    station: (id: string, label: string, macAddress?: string) =>
      api.post<Station>('/api/postes/', { id, label, ...(macAddress && { macAddress }) }),
    visitor: (firstName: string, lastName: string, more: Partial<User> = {}) =>
      api.post<User>('/api/utilisateurs/', { firstName, lastName, consentGiven: true, ...more }),

    /** A new page that shows the sign-in form. */
    async page(options?: BrowserContextOptions) {
      const context = await openContext(browser, faults, options)
      const page = await context.newPage()
      await page.goto(server.url)
      return page
    },
    /** A new page that is signed in and connected. */
    async desk(options?: BrowserContextOptions) {
      const context = await openContext(browser, faults, options)
      const desk = deskPage(await context.newPage(), server, '')
      await desk.signIn()
      await desk.liveBadge('En direct').waitFor()
      return { ...desk, dialog: desk.page.getByRole('dialog'), close: () => context.close() }
    },
    async close() {
      await browser.close()
      await server.dispose()
    },
  }
}

export type OpenDesk = Awaited<ReturnType<DeskSite['desk']>>
