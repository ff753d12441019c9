import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { X509Certificate } from 'node:crypto'

const DNS_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i

export interface Names {
  machine: string
  /** What the settings call this server. */
  given: string[]
  /** A certificate without one of these is replaced. */
  required: string[]
  /** Added where one is made: what changes too often to make another. */
  more: string[]
}

/**
 * What this server may be called by: this machine's names and addresses, and what the site calls it.
 * @param given host names or addresses of the settings
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

/** Whether a certificate is good for a host name or address. */
export function speaksFor(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined
}

const usable = (names: string[]) => [...new Set(names)].filter((name) => isIP(name) || DNS_NAME.test(name))
