import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { initialState, viewOf } from '../../agent/src/core/index.ts'
import { prepareScreenKey, writeStartPage } from '../../agent/src/platform/linux/seat/screen-files.ts'
import { createScreenServer, type ScreenServer } from '../../agent/src/screen/screen-server.ts'
import { findChromium, openBrowser } from '../support/chromium.ts'

const found = await findChromium()

/** A page that opens the state's stream, and says in its title what became of it. */
const SCRIPT = `const stream = new EventSource('/api/state')
stream.onmessage = () => { document.title = 'shown' }
stream.onerror = () => { document.title = 'refused' }
`

let folder: string
let screen: ScreenServer
let browser: Browser | undefined
/** A site of the visitor on the same machine. */
let site: Server
const ended: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'escale-key-'))
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><title>-</title><script src="/main.js"></script>',
  )
  await writeFile(join(folder, 'main.js'), SCRIPT)
  const key = await prepareScreenKey(folder)
  screen = await createScreenServer({
    ...{ port: 0, pageDir: folder, key, log: pino({ level: 'silent' }) },
    view: () => viewOf(initialState({ bootId: 'b', wallOffsetMs: 0 }), 0),
    onCode: () => ended.push('code'),
    onAccept: () => ended.push('accept'),
    onEnd: () => ended.push('end'),
    onCallStaff: () => ended.push('staff'),
    onDismiss: () => ended.push('dismiss'),
    onPagesChanged: () => undefined,
  })
  await writeStartPage(screen.url, key, folder)
  site = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>-</title>')
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  if (!('missing' in found)) browser = await openBrowser(found)
})
afterAll(async () => {
  await browser?.close()
  await screen.stop()
  site.close()
  await rm(folder, { recursive: true })
})

/** What the page is told when it asks for an act, or 0 when the browser shows it nothing. */
const act = (page: Page, name: string) =>
  page.evaluate(
    ([url]) =>
      fetch(url!, {
        method: 'POST',
        credentials: 'include',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      }).then(
        ({ status }) => status,
        () => 0,
      ),
    [`${screen.url}api/${name}`],
  )

describe.skipIf('missing' in found)('the key of the screen, in a real browser', () => {
  it('gets from the start page to the lock’s browser, and nothing of it is in an address', async () => {
    const context = await browser!.newContext()
    const page = await context.newPage()
    const addresses: string[] = []
    page.on('request', (request) => addresses.push(request.url()))
    await page.goto(pathToFileURL(join(folder, 'start.html')).href)
    await page.waitForFunction("document.title === 'shown'")
    expect(screen.hasPage()).toBe(true)
    expect(page.url()).toBe(screen.url)
    expect(await act(page, 'end')).toBe(204)
    await page.reload()
    await page.waitForFunction("document.title === 'shown'")
    expect(addresses.join(' ')).not.toContain(await readFile(join(folder, 'screen-key'), 'utf8'))
    expect(await page.evaluate('document.cookie')).toBe('')
    expect(ended).toEqual(['end'])

    // Even in the lock's own browser, a page of another site has no use of the cookie.
    const other = await context.newPage()
    await other.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`)
    expect(await act(other, 'end')).toBe(0)
    await context.close()
    expect(ended).toEqual(['end'])
  })

  it('is not in a visitor’s browser: neither the screen’s page nor another site can act there', async () => {
    ended.length = 0
    const context = await browser!.newContext()
    const page = await context.newPage()
    await page.goto(screen.url)
    await page.waitForFunction("document.title === 'refused'")
    expect(await act(page, 'end')).toBe(401)
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`)
    expect(await act(page, 'end')).toBe(0)
    await context.close()
    expect(ended).toEqual([])
    await expect.poll(screen.hasPage).toBe(false)
  })
})
