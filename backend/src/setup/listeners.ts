import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import type { App } from '../app.ts'
import type { Certificates } from '../certificates/certificates.ts'
import type { ServerCertificate } from '../certificates/pem.ts'
import type { Clock } from '../clock.ts'
import type { Environment } from './environment.ts'
import { createConnectionLimits } from '../http/connection-limits.ts'
import { listenSecurely } from '../http/secure-listener.ts'

const LOOPBACK = '127.0.0.1'

/** The listeners of one protocol: plain, and over TLS unless another program uses the port. */
export interface ListenerPair {
  plain: AddressInfo
  secure?: AddressInfo
}

/**
 * All listeners. Those with TLS bind ESCALE_HOST; those without bind this machine alone, unless ESCALE_PLAIN_LAN is
 * set. When ESCALE_HOST is this machine alone, a TLS port that another program uses is left out with a warning.
 */
export function createListeners(
  app: Pick<App, 'http' | 'broker'>,
  certificates: Certificates,
  environment: Environment,
  clock: Clock,
  log: Logger,
) {
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
    async openBroker(): Promise<ListenerPair> {
      certificates.onRenewed((certificate) => app.broker.renewCertificate(tlsOf(certificate)))
      const plain = await app.broker.listen({ host: plainHost, port: environment.ESCALE_MQTT_PORT })
      const tls = tlsOf(certificates.current())
      const secure = await optional(app.broker.listen({ host, port: environment.ESCALE_MQTTS_PORT, tls }))
      return { plain, secure }
    },
    /** To be opened after the broker: stations that enrol by HTTP get its address. */
    async openHttp(): Promise<ListenerPair> {
      limitConnections(app.http.server, false)
      await app.http.listen({ host: plainHost, port: environment.ESCALE_HTTP_PORT })
      const address = { host, port: environment.ESCALE_HTTPS_PORT }
      const secure = await optional(listenSecurely(app.http, address, certificates, limitConnections))
      return { plain: app.http.server.address() as AddressInfo, secure }
    },
  }
}

const tlsOf = ({ chain: cert, key }: ServerCertificate) => ({ cert, key })

/** The host that listeners without TLS bind. */
export function plainHostOf({ ESCALE_HOST, ESCALE_PLAIN_LAN }: Environment): string {
  return ESCALE_PLAIN_LAN || isLocalHost(ESCALE_HOST) ? ESCALE_HOST : LOOPBACK
}

/** Whether a host is a loopback address: no other machine can reach it. */
export function isLocalHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
