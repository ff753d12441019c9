import { isIPv6 } from 'node:net'
import type { Enrolled } from '@escale/protocol'
import type { Arrival } from '../../domain/arrival.ts'

/** The broker's address for a station, and the CA certificate to check its certificate with. */
export type BrokerAddress = (arrival: Arrival) => Pick<Enrolled, 'mqttUrl' | 'caCertificate'>

export interface BrokerSite {
  /** The configured public host, if there is one. */
  publicHost?: string
  mqttPort: number
  /** Undefined without a TLS listener. */
  mqttsPort?: number
  certificate: {
    authority?: string
    /** Whether the certificate is valid for a host name or address. */
    speaksFor(host: string): boolean
  }
}

/** TLS if its certificate can be checked. Plain on this machine, and if the station used a name outside the certificate. */
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
