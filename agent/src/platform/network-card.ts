import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import pTimeout from 'p-timeout'
import { isIdentifyingMac, isLoopback, normaliseIp } from '@escale/protocol'

export interface NetworkAddress {
  ipAddress: string
  macAddress: string
}

export type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>

const NO_ADDRESS: NetworkAddress = { ipAddress: '127.0.0.1', macAddress: '00:00:00:00:00:00' }
const LOOKUP_LIMIT_MS = 2_000
/** Usual names of virtual network cards. */
const VIRTUAL = /^(lo|docker|br-|veth|virbr|vnet|vmnet|vboxnet|tun|tap|wg|ppp|zt|tailscale|ifb|vEthernet)/i

/**
 * The local address from which the system reaches a host, by its routes. It is found with a connected UDP socket, which
 * sends nothing. Undefined if the host has no address or no route leads to it.
 */
export async function localAddressTowards(host: string, port: number): Promise<string | undefined> {
  const looked = lookup(host.replace(/^\[|\]$/g, '')).catch(() => undefined)
  const found = await pTimeout(looked, { milliseconds: LOOKUP_LIMIT_MS, fallback: () => undefined })
  if (found === undefined) return undefined
  const socket = createSocket(found.family === 6 ? 'udp6' : 'udp4')
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.connect(port, found.address, resolve)
    })
    return normaliseIp(socket.address().address.replace(/%.*$/, ''))
  } catch {
    return undefined
  } finally {
    socket.close()
  }
}

/**
 * The network card that has a local address. If that interface has no MAC address (a tunnel, the loopback), it is the
 * card of a default route, else any card of the machine. Virtual cards come last.
 * @param defaults names of the interfaces of the default routes, the preferred one first
 */
export function cardOf(
  localAddress: string | undefined,
  defaults: readonly string[] = [],
  interfaces: Interfaces = networkInterfaces(),
): NetworkAddress {
  const cards = Object.entries(interfaces).map(([name, list = []]) => ({ name, list }))
  const reaching = cards.find(({ list }) => list.some(({ address }) => normaliseIp(address) === localAddress))
  const byDefault = defaults.flatMap((name) => cards.find((card) => card.name === name) ?? [])
  const all = [...(reaching ? [reaching] : []), ...byDefault, ...cards]
  const identifying = all.filter(({ list }) => list.some(({ mac }) => isIdentifyingMac(mac)))
  const card = identifying.find(({ name }) => !VIRTUAL.test(name)) ?? identifying[0]
  const isOutside = localAddress !== undefined && !isLoopback(localAddress)
  return {
    ipAddress: isOutside ? localAddress : addressOf(card?.list ?? outsideOf(cards)),
    macAddress: card?.list[0]?.mac ?? NO_ADDRESS.macAddress,
  }
}

const outsideOf = (cards: { list: NetworkInterfaceInfo[] }[]) =>
  cards.flatMap(({ list }) => list).filter(({ internal }) => !internal)

function addressOf(list: NetworkInterfaceInfo[]): string {
  const found = list.find(({ family }) => family === 'IPv4') ?? list[0]
  return found?.address ?? NO_ADDRESS.ipAddress
}
