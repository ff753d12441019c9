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

/** Twelve stations as a library would name them. */
export const places: readonly Place[] = Array.from({ length: 12 }, (_, index) => {
  const number = String(index + 1).padStart(2, '0')
  const location = LOCATIONS[index < 6 ? 0 : index < 9 ? 1 : 2]
  return { id: `poste-${number}`, label: `Poste ${number}`, location, macAddress: `02:00:5e:10:00:${number}` }
})

/** Registers a station and starts its agent: the real one, on a machine that does not exist. */
export async function openStation(
  server: Pick<RunningServer, 'url' | 'enrolmentKey'>,
  api: Api,
  place: Place,
  screen?: { port: number; pageDir: string },
): Promise<Agent> {
  await api.post('/api/postes/', place)
  const seed = Number(place.id.slice(-2))
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
