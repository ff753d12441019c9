import { createAgent, createMemoryStore, createSimulatedPlatform, type Agent } from '@escale/agent'
import { pino } from 'pino'
import type { Api } from '../support/api.ts'
import type { RunningServer } from '../support/server.ts'

export interface Place {
  id: string
  label: string
  location: string
  macAddress: string
}

const LOCATIONS = ['Salle informatique', 'Espace jeunesse', 'Étage'] as const

export const USUAL_STATIONS = 12
/** For larger rooms there is `npm run bench`. */
export const MOST_STATIONS = 200

/** Stations as a library would name them: half of them in the first location, a quarter in each of the others. */
export function placesOf(count: number): Place[] {
  return Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(2, '0')
    const quarter = Math.floor((index / count) * 4)
    const location = LOCATIONS[Math.max(0, quarter - 1)] ?? LOCATIONS[0]
    const macAddress = `02:00:5e:10:00:${(index + 1).toString(16).padStart(2, '0')}`
    return { id: `poste-${number}`, label: `Poste ${number}`, location, macAddress }
  })
}

export const places = placesOf(USUAL_STATIONS)

/** Registers a station and starts a real agent on a simulated machine. */
export async function openStation(
  server: Pick<RunningServer, 'url' | 'enrolmentKey'>,
  api: Api,
  place: Place,
  screen?: { port: number },
): Promise<Agent> {
  await api.post('/api/postes/', place)
  const seed = Number(place.id.replace(/\D/g, ''))
  const agent = createAgent({
    server: server.url,
    credentials: { kind: 'key', enrolmentKey: server.enrolmentKey },
    platform: createSimulatedPlatform({
      seed,
      identity: { hostname: place.id, macAddress: place.macAddress },
    }),
    store: createMemoryStore(),
    screen,
    log: pino({ level: 'fatal' }),
  })
  await agent.start()
  return agent
}
