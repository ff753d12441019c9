import type { IncomingMessage } from 'node:http'

/** A request must arrive completely within this time after its first byte or after the opening of the connection. */
const REQUEST_TIMEOUT_MS = 30_000
/** How often Node checks the timeouts. */
const CHECK_INTERVAL_MS = 1_000

/** Options of the HTTP and the HTTPS server. */
export const serverOptions = {
  requestTimeout: REQUEST_TIMEOUT_MS,
  headersTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: CHECK_INTERVAL_MS,
  // HTTP timeouts end with an upgrade, so only WebSocket upgrades are accepted. Others are handled as normal requests.
  shouldUpgradeCallback: ({ method, url = '', headers }: IncomingMessage) =>
    method === 'GET' && /^websocket$/i.test(headers.upgrade ?? '') && /^\/(ws|mqtt)(\/|\?|$)/.test(url),
}
