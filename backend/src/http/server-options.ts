import type { IncomingMessage } from 'node:http'

/** A request has this long to arrive whole, from its first byte, or a new connection's first moment, to its last. */
const REQUEST_TIMEOUT_MS = 30_000
/** How late that may be noticed. */
const CHECK_INTERVAL_MS = 1_000

/** How every listener of HTTP treats its connections, with encryption and without. */
export const serverOptions = {
  requestTimeout: REQUEST_TIMEOUT_MS,
  headersTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: CHECK_INTERVAL_MS,
  // An upgraded connection has no time limit of HTTP any more. Whatever else asks for one is a request like others.
  shouldUpgradeCallback: ({ method, url = '', headers }: IncomingMessage) =>
    method === 'GET' && /^websocket$/i.test(headers.upgrade ?? '') && /^\/(ws|mqtt)(\/|\?|$)/.test(url),
}
