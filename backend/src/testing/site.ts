import { randomBytes } from 'node:crypto'
import type { Session, Station, User } from '@escale/protocol'

type Done = <T>(method: string, url: string, body?: unknown) => Promise<T>

/** Makes and reads what a site has, through the REST API. */
export function createSiteActions(done: Done, siteKey: string) {
  let created = 0

  async function createStation(id = `pc-${(created += 1)}`, fields: object = {}): Promise<Station> {
    return done('POST', '/api/postes', { id, label: `Poste ${id}`, ...fields })
  }
  const createSession = (fields: object = {}) =>
    done<Session & { accessCode: string }>('POST', '/api/sessions', { minutes: 30, ...fields })

  return {
    createStation,
    createSession,
    createUser: (fields: object = {}) =>
      done<User>('POST', '/api/utilisateurs', {
        firstName: 'Zoé',
        lastName: 'Martin',
        consentGiven: true,
        ...fields,
      }),
    /** A session that runs at a station of its own. */
    async startSession(fields: object = {}): Promise<Session & { stationId: string }> {
      const station = await createStation()
      const { id } = await createSession({ stationId: station.id, ...fields })
      return done('POST', `/api/sessions/${id}/start`)
    },
    session: (id: string) => done<Session>('GET', `/api/sessions/${id}`),
    station: (id: string) => done<Station>('GET', `/api/postes/${id}`),
    /** The journal's records, oldest first. @param filter a query, such as `action=station.created` */
    async journal(filter = ''): Promise<Record<string, unknown>[]> {
      const url = `/api/logs?ordering=id&pageSize=200&${filter}`
      return (await done<{ results: Record<string, unknown>[] }>('GET', url)).results
    },
    /** Gives a station its secret, as enrolment with the site key does. */
    async enrol(stationId: string): Promise<{ secret: string; basic: Record<string, string> }> {
      const mac = `02:00:00:${randomBytes(3).toString('hex').replace(/../g, '$&:').slice(0, -1)}`
      const { label } = await done<Station>('GET', `/api/postes/${stationId}`)
      await done('PUT', `/api/postes/${stationId}`, { label, macAddress: mac })
      const { mqttSecret } = await done<{ mqttSecret: string }>('POST', '/api/postes/enrol', {
        enrolmentKey: siteKey,
        macAddress: mac,
        hostname: stationId,
        os: 'Debian 13',
        agentVersion: '1.0.0',
      })
      const basic = `Basic ${Buffer.from(`${stationId}:${mqttSecret}`).toString('base64')}`
      return { secret: mqttSecret, basic: { authorization: basic } }
    },
  }
}
