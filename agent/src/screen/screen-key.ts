import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { text as readText } from 'node:stream/consumers'

/** Where the lock's browser shows its key. It then has a cookie. */
export const ENTER_ADDRESS = '/api/enter'
const COOKIE = 'escale-screen'
const MAX_FORM_BYTES = 256

/**
 * The key of the station's own screen. On a station with a lock of its own, the visitor's programs reach the same
 * loopback: only who has the key may read the station's state or act.
 */
export interface ScreenKey {
  /** Whether a request has the key in its cookie. */
  isIn: (request: IncomingMessage) => boolean
  /** Whether a form that was sent has the key. */
  isInForm: (request: IncomingMessage) => Promise<boolean>
  /** The header `Set-Cookie` that gives the key to the browser. */
  cookie: string
}

/** Source: RFC 6265 and RFC 6265bis (SameSite). The key has no characters that a cookie or a form would encode. */
export function createScreenKey(key: string): ScreenKey {
  const isKey = (given: string) => timingSafeEqual(digest(given), digest(key))

  return {
    isIn: ({ headers }) =>
      (headers.cookie ?? '').split('; ').some((pair) => {
        const [name, ...value] = pair.split('=')
        return name === COOKIE && isKey(value.join('='))
      }),
    isInForm: async (request) => {
      if (!(Number(request.headers['content-length']) <= MAX_FORM_BYTES)) return false
      return isKey(new URLSearchParams(await readText(request)).get('key') ?? '')
    },
    cookie: `${cookieOf(key)}; Path=/; HttpOnly; SameSite=Strict`,
  }
}

/** The header `Cookie` of a program that was given the key. */
export const cookieOf = (key: string): string => `${COOKIE}=${key}`

/** The same length for every text, as the comparison needs. */
const digest = (text: string) => createHash('sha256').update(text).digest()

/** What the browser shows after it has the cookie: a page of the agent's own, from which it goes to the screen. */
export const ENTERED_PAGE = '<!doctype html><meta http-equiv="refresh" content="0;url=/">'

/** The page that the lock's browser starts with. It is a file, so that the key is on no command line. */
export const startPage = (screenUrl: string, key: string): string => `<!doctype html>
<meta charset="utf-8">
<title>Escale</title>
<style>body { background: #111 }</style>
<form method="post" action="${new URL(ENTER_ADDRESS, screenUrl).href}"><input type="hidden" name="key" value="${key}"></form>
<script>document.forms[0].submit()</script>
`
