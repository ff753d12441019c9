import type { Agent } from '@escale/agent'
import {
  type CreatedSession,
  MINUTE_MS,
  type Page,
  SECOND_MS,
  type StaffCall,
  type User,
} from '@escale/protocol'
import { setTimeout as delay } from 'node:timers/promises'
import type { Api } from '../support/api.ts'
import { inventVisitor, pick, type Random } from './people.ts'
import type { Place } from './room.ts'

export interface Seat {
  place: Place
  agent: Agent
}

/** Some sessions end within minutes, so that the dashboard changes; most last as long as in a real room. */
const LENGTHS_MINUTES = [1, 2, 2, 3, 5, 15, 30, 30, 45, 60]
const CALLS = ['L’imprimante ne répond pas.', 'Je n’ai plus de son.', 'Où est mon fichier\u202f?', undefined]
const PAUSE_MS = [4_000, 12_000] as const
const TYPING_MS = [1_500, 5_000] as const

const between = (random: Random, [low, high]: readonly [number, number]) => low + random() * (high - low)

/** A visitor arrives: is registered, gets a session, and types the code after a moment. */
export async function simulateArrival(
  api: Api,
  seat: Seat,
  minutes: number,
  random: Random,
): Promise<string> {
  const user = await api.post<User>('/api/utilisateurs/', inventVisitor(random))
  const session = await api.post<CreatedSession>('/api/sessions/', {
    userId: user.id,
    stationId: seat.place.id,
    minutes,
  })
  await delay(between(random, TYPING_MS))
  seat.agent.typeCode(session.accessCode)
  return session.id
}

const SHARE_TAKEN = 0.6

/** Fills most of the room, so that every state is visible at once. */
export async function fillRoom(api: Api, seats: readonly Seat[], random: Random): Promise<void> {
  const arrivals = seats.slice(0, Math.ceil(seats.length * SHARE_TAKEN)).map(async (seat, index) => {
    const session = await simulateArrival(api, seat, LENGTHS_MINUTES[(index * 3 + 1) % 10] ?? 30, random)
    if (index % 10 === 4) {
      await delay(5 * SECOND_MS)
      await api.post(`/api/sessions/${session}/suspend/`)
    }
  })
  await Promise.all(arrivals)
}

/** Until aborted, visitors come, leave, get more time or type a wrong code. */
export async function simulateEvents(
  api: Api,
  seats: readonly Seat[],
  random: Random,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    await oneEvent(api, pick(random, seats), random).catch(onError)
    await answerCalls(api).catch(onError)
    await delay(between(random, PAUSE_MS), undefined, { signal }).catch(() => undefined)
  }
}

/** An operator takes each call after a minute and closes it after another minute. */
async function answerCalls(api: Api): Promise<void> {
  const { results } = await api.get<Page<StaffCall>>('/api/postes/appels/')
  for (const { id, state, renewedAt, takenAt } of results) {
    const isLongAgo = Date.now() - Date.parse(takenAt ?? renewedAt) > MINUTE_MS
    if (isLongAgo) await api.post(`/api/postes/appels/${id}/${state === 'waiting' ? 'prendre' : 'clore'}/`)
  }
}

async function oneEvent(api: Api, seat: Seat, random: Random): Promise<void> {
  const chance = random()
  switch (seat.agent.view().phase) {
    case 'locked':
      if (chance < 0.15) seat.agent.typeCode('ABCD-2345')
      else await simulateArrival(api, seat, pick(random, LENGTHS_MINUTES), random)
      return
    case 'active': {
      if (chance < 0.2) {
        seat.agent.endSession()
        return
      }
      if (chance < 0.25) {
        seat.agent.callStaff(pick(random, CALLS))
        return
      }
      const { id } = await api.get<{ id: string }>(`/api/postes/${seat.place.id}/session_active/`)
      if (chance < 0.5) await api.post(`/api/sessions/${id}/add_time/`, { minutes: pick(random, [1, 5, 10]) })
      else if (chance < 0.6) await api.post(`/api/sessions/${id}/suspend/`)
      return
    }
    case 'suspended': {
      if (chance < 0.5) return
      const { id } = await api.get<{ id: string }>(`/api/postes/${seat.place.id}/session_active/`)
      await api.post(`/api/sessions/${id}/resume/`)
      return
    }
    case 'pairing':
    case 'maintenance':
    case 'cleaning':
      return
  }
}
