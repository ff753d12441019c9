import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import type { App } from '../app.ts'
import type { Certificates, ServerCertificate } from '../certificates/index.ts'
import type { Clock } from '../clock.ts'
import type { Environment } from './environment.ts'
import { createConnectionLimits } from '../http/connection-limits.ts'
import { listenSecurely } from '../http/secure-listener.ts'

const LOOPBACK = '127.0.0.1'

/** Of one protocol: plain, and over TLS unless another program has the port. */
export interface ListenerPair {
  plain: AddressInfo
  secure?: AddressInfo
}

export interface Listeners {
  openBroker(): Promise<ListenerPair>
  /** To be opened last: whoever enrols is told where the broker is. */
  openHttp(): Promise<ListenerPair>
}

/**
 * Every listener: those with encryption where ESCALE_HOST says, those without on this machine alone unless the site
 * says so. On a server for its own machine, a port for encryption that another program has is done without.
 */
export function createListeners(
  app: Pick<App, 'http' | 'broker'>,
  certificates: Certificates,
  environment: Environment,
  clock: Clock,
  log: Logger,
): Listeners {
  const { ESCALE_HOST: host } = environment
  const limitConnections = createConnectionLimits(clock, log)
  const plainHost = plainHostOf(environment)
  if (plainHost !== host) {
    log.info('plain HTTP and MQTT stay on this machine; ESCALE_PLAIN_LAN=true opens them to the network')
  } else if (!isLocalHost(host)) {
    log.warn({ host }, 'plain HTTP and MQTT are open to the network: codes and passwords travel unencrypted')
  }
  const optional = async (listening: Promise<AddressInfo>) => {
    if (!isLocalHost(host)) return listening
    return listening.catch((err: unknown) => {
      if ((err as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw err
      log.warn({ err }, 'a port for encryption is taken: this machine alone is served, without it')
      return undefined
    })
  }
  return {
    async openBroker() {
      certificates.onRenewed((certificate) => app.broker.renewCertificate(tlsOf(certificate)))
      const plain = await app.broker.listen({ host: plainHost, port: environment.ESCALE_MQTT_PORT })
      const tls = tlsOf(certificates.current())
      const secure = await optional(app.broker.listen({ host, port: environment.ESCALE_MQTTS_PORT, tls }))
      return { plain, secure }
    },
    async openHttp() {
      limitConnections(app.http.server, false)
      await app.http.listen({ host: plainHost, port: environment.ESCALE_HTTP_PORT })
      const address = { host, port: environment.ESCALE_HTTPS_PORT }
      const secure = await optional(listenSecurely(app.http, address, certificates, limitConnections))
      return { plain: app.http.server.address() as AddressInfo, secure }
    },
  }
}

const tlsOf = ({ chain: cert, key }: ServerCertificate) => ({ cert, key })

/** What the listeners without encryption bind. */
export function plainHostOf({ ESCALE_HOST, ESCALE_PLAIN_LAN }: Environment): string {
  return ESCALE_PLAIN_LAN || isLocalHost(ESCALE_HOST) ? ESCALE_HOST : LOOPBACK
}

/** Whether what a listener is to bind is this machine's own. */
export function isLocalHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
