import { describe, expect, test } from 'vitest'
import { addressGroupOf, clientAddressOf, isIdentifyingMac, normaliseIp, normaliseMac } from './addresses.ts'

describe('addresses', () => {
  test.each([
    'AA-BB-CC-00-11-22',
    'aa:bb:cc:00:11:22',
    'aabb.cc00.1122',
    'AABBCC001122',
    ' aa bb cc 00 11 22 ',
  ])('the MAC address %s is normalised', (text) => expect(normaliseMac(text)).toBe('aa:bb:cc:00:11:22'))
  test.each(['', 'aa:bb:cc:00:11', 'gg:bb:cc:00:11:22', 'aa:bb:cc:00:11:22:33'])(
    '%j is not a MAC address',
    (text) => expect(normaliseMac(text)).toBeUndefined(),
  )
  test.each([
    ['::ffff:192.168.1.20', '192.168.1.20'],
    ['::FFFF:C0A8:0114', '192.168.1.20'],
    ['192.168.1.20', '192.168.1.20'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::1', '::1'],
  ])('the IP address %s is normalised to %s', (text, expected) => expect(normaliseIp(text)).toBe(expected))
  test.each(['', '1.2.3', '256.1.1.1', '01.2.3.4.5', '10.0.0.01', 'pc-01', '::g', '1.2.3.4/24', 'a:b]'])(
    '%j is not an IP address',
    (text) => expect(normaliseIp(text)).toBeUndefined(),
  )

  test.each(['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:fb', '33:33:00:00:00:01'])(
    'the MAC address %s belongs to no single machine',
    (mac) => expect(isIdentifyingMac(mac)).toBe(false),
  )
  test.each(['aa:bb:cc:00:11:22', '02:42:ac:11:00:02'])('the MAC address %s belongs to one machine', (mac) =>
    expect(isIdentifyingMac(mac)).toBe(true),
  )
  test.each([
    ['10.0.0.5:1234', '10.0.0.5'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[::ffff:10.0.0.5]', '10.0.0.5'],
    ['fe80::1%eth0', 'fe80::1'],
    [' 10.0.0.5 ', '10.0.0.5'],
    ['10.0.0.5:', undefined],
    ['10.0.0.5:123456', undefined],
    ['unknown', undefined],
    ['', undefined],
  ])('the client %j has the address %s', (text, ip) => expect(clientAddressOf(text)).toBe(ip))
  test.each([
    ['192.168.1.20', '192.168.1.20'],
    ['::ffff:192.168.1.20', '192.168.1.20'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8::/64'],
    ['::1', '::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b::/64'],
    ['', ''],
  ])('the client %s is limited together with %s', (ip, group) => expect(addressGroupOf(ip)).toBe(group))
})
