import { spawn } from 'node:child_process'
import { access, constants, mkdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Kiosk } from '../platform.ts'

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const MAX_OUTPUT_LENGTH = 4_000
const MAX_REASON_LENGTH = 400

export const NO_BROWSER = `no browser for the screen: install one of ${BROWSERS.join(', ')}, or use --no-kiosk`
export const RUNS_AS_ROOT =
  'Chromium does not run as root: run the agent as a user of its own, or use --no-kiosk and open the screen otherwise'

/** The first browser found in these folders; undefined if there is none. */
export async function findBrowser(searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter)) {
    for (const name of BROWSERS) {
      const path = join(folder, name)
      const isThere = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (isThere) return path
    }
  }
  return undefined
}

/** Opens the screen's page in full screen. Resolves when the browser was started; it may still fail to show the page. */
export async function openKiosk(
  url: string,
  { dataDir, searchPath }: { dataDir: string; searchPath: string },
): Promise<Kiosk> {
  const browser = await findBrowser(searchPath)
  if (browser === undefined) throw new Error(NO_BROWSER)
  const profile = join(dataDir, 'kiosk')
  await mkdir(profile, { recursive: true, mode: 0o700 })
  const child = spawn(
    browser,
    [
      '--kiosk',
      '--no-first-run',
      '--disable-component-update',
      '--disable-sync',
      '--disable-features=Translate',
      // A warning must also be heard on a page that was opened again in the middle of a session.
      '--autoplay-policy=no-user-gesture-required',
      // After a power cut, Chromium must not ask the visitor whether to restore pages.
      '--hide-crash-restore-bubble',
      `--user-data-dir=${profile}`,
      url,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-MAX_OUTPUT_LENGTH)
  })
  let endReason: string | undefined
  const ended = new Promise<void>((resolve) => {
    const end = (how: string) => {
      endReason ??= reasonOf(output, how)
      resolve()
    }
    child.once('error', (err) => end(err.message))
    child.once('close', (code, signal) => end(`it ended with ${signal ?? code}`))
  })
  return { close: () => void child.kill('SIGTERM'), ended, endReason: () => endReason }
}

/** How the browser ended, with the last line of its output. */
function reasonOf(output: string, how: string): string {
  if (/running as root without --no-sandbox/i.test(output)) return RUNS_AS_ROOT
  const last = output.trim().split('\n').at(-1)?.trim() ?? ''
  return last === '' ? how : `${how}: ${last.slice(0, MAX_REASON_LENGTH)}`
}
