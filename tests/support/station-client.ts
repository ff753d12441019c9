import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { topicOf, type Enrolled, type TopicName } from '@escale/protocol'
import { request, type Api } from './api.ts'
import type { RunningServer } from './server.ts'

export interface Identity {
  stationId: string
  mqttSecret: string
}

/** A MAC address for each number below 65 536. */
export const macOf = (index: number) =>
  `02:00:5e:20:${[index >> 8, index & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`

/** Registers a station and enrols it with the site key, as its agent would. */
export async function enrolStation(
  server: Pick<RunningServer, 'url' | 'enrolmentKey'>,
  api: Api,
  stationId: string,
  macAddress: string,
): Promise<Identity> {
  await api.post('/api/postes/', { id: stationId, label: stationId, macAddress })
  const { status, body } = await request<Enrolled>(`${server.url}/api/postes/enrol/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      enrolmentKey: server.enrolmentKey,
      macAddress,
      hostname: stationId,
      os: 'Debian 13',
      agentVersion: '1.0.0',
    }),
  })
  if (status !== 200) throw new Error(`enrolment of ${stationId}: ${status} ${JSON.stringify(body)}`)
  return { stationId, mqttSecret: body.mqttSecret }
}

export interface StationClient {
  client: MqttClient
  /** Publishes with QoS 1 and repeats until it is acknowledged; rejects when the client is ended. */
  publish: (name: TopicName, payload: object) => Promise<void>
}

/** An MQTT client that logs in as a station and publishes what a test asks for. */
export function openStationClient(
  url: string,
  { stationId, mqttSecret }: Identity,
  options: IClientOptions = {},
): StationClient {
  const client = connect(url, {
    clientId: stationId,
    username: stationId,
    password: mqttSecret,
    reconnectPeriod: 50,
    connectTimeout: 5_000,
    keepalive: 10,
    ...options,
  })
  client.on('error', () => undefined)
  const publish: StationClient['publish'] = async (name, payload) => {
    try {
      await client.publishAsync(topicOf(name, stationId), JSON.stringify(payload), { qos: 1 })
    } catch (err) {
      if (client.disconnecting) throw err
      // mqtt.js drops a message when the connection breaks again while it is being resent.
      await publish(name, payload)
    }
  }
  return { client, publish }
}
