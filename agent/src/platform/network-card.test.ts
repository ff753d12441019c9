import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { describe, expect, it } from 'vitest'
import { cardOf, localAddressTowards } from './network-card.ts'

const NO_MAC = '00:00:00:00:00:00'

const at = (address: string, mac: string): NetworkInterfaceInfo[] => [
  address.includes(':')
    ? { address, mac, family: 'IPv6', netmask: '', cidr: null, internal: false, scopeid: 0 }
    : { address, mac, family: 'IPv4', netmask: '', cidr: null, internal: false },
]
const lo: NetworkInterfaceInfo[] = [
  { address: '127.0.0.1', mac: NO_MAC, family: 'IPv4', netmask: '', cidr: null, internal: true },
]
const docker0 = at('172.17.0.1', '02:42:ac:11:00:01')

describe('the network card that a station reports', () => {
  it.each([
    [
      'the one that reaches the server, not the first',
      '10.0.0.7',
      ['eth0'],
      { lo, docker0, eth0: at('192.0.2.7', '52:54:00:00:00:01'), eth1: at('10.0.0.7', '52:54:00:00:00:02') },
      { ipAddress: '10.0.0.7', macAddress: '52:54:00:00:00:02' },
    ],
    [
      'the physical card next to a tunnel that has no MAC address',
      '10.8.0.2',
      ['tun0', 'wlan0'],
      { lo, docker0, tun0: at('10.8.0.2', NO_MAC), wlan0: at('192.0.2.8', '52:54:00:00:00:03') },
      { ipAddress: '10.8.0.2', macAddress: '52:54:00:00:00:03' },
    ],
    [
      'the physical card if the server is in a container of this machine',
      '172.17.0.1',
      ['eth0'],
      { lo, docker0, eth0: at('192.0.2.9', '52:54:00:00:00:04') },
      { ipAddress: '172.17.0.1', macAddress: '52:54:00:00:00:04' },
    ],
    [
      'the card of an IPv6 route if there is no other',
      '2001:db8::7',
      ['eth0'],
      { lo, docker0, eth0: at('2001:db8::7', '52:54:00:00:00:05') },
      { ipAddress: '2001:db8::7', macAddress: '52:54:00:00:00:05' },
    ],
    [
      'the card of the default route if the server is on this machine',
      '127.0.0.1',
      ['eth1'],
      { lo, eth0: at('192.0.2.1', '52:54:00:00:00:06'), eth1: at('192.0.2.2', '52:54:00:00:00:07') },
      { ipAddress: '192.0.2.2', macAddress: '52:54:00:00:00:07' },
    ],
    ['none where there is none', undefined, [], { lo }, { ipAddress: '127.0.0.1', macAddress: NO_MAC }],
  ])('is %s', (_, local, defaults, interfaces, card) => {
    expect(cardOf(local, defaults, interfaces)).toEqual(card)
  })

  it.each(['127.0.0.1', 'localhost'])('is found by the local address that reaches %s', async (host) => {
    const server = createServer().listen(0, host)
    await new Promise((resolve) => server.once('listening', resolve))
    const { address, port } = server.address() as AddressInfo
    expect(await localAddressTowards(host, port)).toBe(address)
    server.close()
  })

  it('is not found for a host name that does not exist', async () => {
    expect(await localAddressTowards('no-such-host.invalid', 80)).toBeUndefined()
  })
})
