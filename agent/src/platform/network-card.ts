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
/** Cards that exist in software alone, by the names that their makers give them. */
const VIRTUAL = /^(lo|docker|br-|veth|virbr|vnet|vmnet|vboxnet|tun|tap|wg|ppp|zt|tailscale|ifb|vEthernet)/i

/**
 * The local address of a socket that reaches a host: the system chooses it by its routes. A UDP socket is connected
 * for it, which sends nothing. Undefined while the host has no address or no route leads there.
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
 * The card that a local address is on. Where that one has no address of its own (a tunnel, the loopback), the card of a
 * default route is told, then any card of the machine; a card that only exists in software comes last.
 * @param defaults names of the interfaces that a default route leads through, the preferred first
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
