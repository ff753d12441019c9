import { isIPv6 } from 'node:net'
import type { Enrolled } from '@escale/protocol'
import type { Arrival } from '../../domain/arrival.ts'

/** Where a station that came this way finds the broker, and what it checks the certificate by. */
export type BrokerAddress = (arrival: Arrival) => Pick<Enrolled, 'mqttUrl' | 'caCertificate'>

export interface BrokerSite {
  /** The host that the site names itself by, if it does. */
  publicHost?: string
  mqttPort: number
  /** Undefined where nobody listens. */
  mqttsPort?: number
  certificate: {
    authority?: string
    /** Whether the certificate is good for a host name or address. */
    speaksFor(host: string): boolean
  }
}

/** Over TLS wherever it can be checked; plain on this machine, and where a station came by a name that nobody certified. */
export function brokerAddressOf(site: BrokerSite, { host, isLocal, isSecure }: Arrival) {
  const { publicHost, mqttPort, mqttsPort, certificate } = site
  const name = (publicHost ?? host).replace(/^\[|\]$/g, '')
  const address = isIPv6(name) ? `[${name}]` : name
  const isPlainRight = !isSecure && (isLocal || !certificate.speaksFor(name))
  if (mqttsPort === undefined || isPlainRight) {
    return { mqttUrl: `mqtt://${address}:${mqttPort}` }
  }
  const { authority: caCertificate } = certificate
  return { mqttUrl: `mqtts://${address}:${mqttsPort}`, ...(caCertificate && { caCertificate }) }
}
