import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import type { Failure } from './reconnection.ts'

/** CONNACK return codes of MQTT 3.1.1. */
const SERVER_UNAVAILABLE = 3
const BAD_CREDENTIALS = 4
const KEEPALIVE_SECONDS = 10
/** Longer than the server lets a login wait for its turn. */
const CONNECT_LIMIT_MS = 8_000

export interface MqttIdentity {
  url: string
  stationId: string
  secret: string
  /** PEM of the authority that the broker's certificate is checked by; without it the machine's own ones are. */
  caCertificate?: string
}

/** One connection to the broker, which is not opened again by itself. */
export function openClient(identity: MqttIdentity, will: IClientOptions['will']): MqttClient {
  const { url, stationId, secret, caCertificate } = identity
  return connect({
    ...brokerOf(url),
    clientId: stationId,
    username: stationId,
    password: secret,
    clean: true,
    keepalive: KEEPALIVE_SECONDS,
    protocolVersion: 4,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_LIMIT_MS,
    resubscribe: false,
    ...(caCertificate === undefined ? {} : { ca: caCertificate }),
    will,
  })
}

const hasCode = (err: Error, code: number) => 'code' in err && err.code === code

/** The server answered that the secret is wrong. */
export const isWrongSecret = (err: Error) => hasCode(err, BAD_CREDENTIALS)

export const failureOf = (err: Error): Failure => (hasCode(err, SERVER_UNAVAILABLE) ? 'busy' : 'refused')

/** The address in parts: given whole, mqtt.js reads it by Node's deprecated parser. */
function brokerOf(url: string) {
  const { protocol, hostname, port, pathname } = new URL(url)
  const scheme = protocol.slice(0, -1) as 'mqtt' | 'mqtts' | 'ws' | 'wss'
  const usual = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 }[scheme]
  const host = hostname.replace(/^\[|\]$/g, '')
  return { protocol: scheme, host, port: port === '' ? usual : Number(port), path: pathname || '/mqtt' }
}
