import { describe, expect, it } from 'vitest'
import { brokerAddressOf } from './broker-address.ts'

const site = {
  mqttPort: 1883,
  mqttsPort: 8883,
  certificate: { authority: 'CA', speaksFor: (host: string) => host === 'accueil' || host === '::1' },
}

describe('the broker’s address for a station', () => {
  it.each([
    ['this machine, plain', 'localhost', true, false, { mqttUrl: 'mqtt://localhost:1883' }],
    [
      'this machine, over TLS',
      'accueil',
      true,
      true,
      { mqttUrl: 'mqtts://accueil:8883', caCertificate: 'CA' },
    ],
    ['beyond, over TLS', 'accueil', false, true, { mqttUrl: 'mqtts://accueil:8883', caCertificate: 'CA' }],
    ['beyond, plain', 'accueil', false, false, { mqttUrl: 'mqtts://accueil:8883', caCertificate: 'CA' }],
    ['beyond, plain, by an uncertified name', 'pc', false, false, { mqttUrl: 'mqtt://pc:1883' }],
    ['an IPv6 address', '[::1]', true, true, { mqttUrl: 'mqtts://[::1]:8883', caCertificate: 'CA' }],
  ])('is found from %s', (_from, host, isLocal, isSecure, expected) => {
    expect(brokerAddressOf(site, { host, isLocal, isSecure })).toEqual(expected)
  })

  it('uses the site’s public name if it has one', () => {
    const named = {
      ...site,
      publicHost: 'accueil',
      certificate: { ...site.certificate, authority: undefined },
    }
    expect(brokerAddressOf(named, { host: '10.0.0.1', isLocal: false, isSecure: true })).toEqual({
      mqttUrl: 'mqtts://accueil:8883',
    })
  })

  it('is unencrypted if the broker has no TLS listener', () => {
    const plain = { ...site, mqttsPort: undefined }
    expect(brokerAddressOf(plain, { host: 'accueil', isLocal: true, isSecure: true })).toEqual({
      mqttUrl: 'mqtt://accueil:1883',
    })
  })
})
