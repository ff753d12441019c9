import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { X509Certificate } from 'node:crypto'

const DNS_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i

export interface Names {
  machine: string
  /** Names of this server in the settings. */
  given: string[]
  /** A certificate that lacks one of these names is replaced. */
  required: string[]
  /** Names for a new certificate that change too often to replace one for them. */
  more: string[]
}

/**
 * All names under which clients may reach this server: names and addresses of this machine, and those in the settings.
 * @param given host names or addresses from the settings
 */
export function namesOfMachine(given: readonly string[]): Names {
  const machine = hostname()
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const outer = addresses.filter(({ internal }) => !internal)
  const required = [
    'localhost',
    '127.0.0.1',
    machine.toLowerCase(),
    ...given,
    ...outer.filter(({ family }) => family === 'IPv4').map(({ address }) => address),
  ]
  const local = machine.includes('.') ? [] : [`${machine.toLowerCase()}.local`]
  const ipv6 = outer.filter(({ address, family }) => family === 'IPv6' && !address.startsWith('fe80'))
  const more = ['::1', ...local, ...ipv6.map(({ address }) => address)]
  return { machine, given: usable([...given]), required: usable(required), more: usable(more) }
}

/** Whether a certificate is valid for a host name or address. */
export function isValidFor(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined
}

const usable = (names: string[]) => [...new Set(names)].filter((name) => isIP(name) || DNS_NAME.test(name))
