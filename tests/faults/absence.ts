import { setTimeout as delay } from 'node:timers/promises'
import type { ScreenView } from '@escale/agent'
import type { LogPage, Session } from '@escale/protocol'
import { openScreenStream } from '../bench/screen-stream.ts'
import { startAgentAs, type RunningAgent } from '../support/agent.ts'
import { signIn, type Api } from '../support/api.ts'
import { startServer } from '../support/server.ts'
import { enrolStation, macOf } from '../support/station-client.ts'

const MINUTE_MS = 60_000
/** Largest allowed error of a session's end. */
const MOST_ERROR_MS = 250
/** What a station that restarts may give: it goes on from what it last saved, and charges no time switched off. */
const MOST_GIFT_MS = 10_000
/** Largest allowed difference of the remaining time between a station and its server. */
const MOST_APART_MS = 2_000
const RETURN_LIMIT_MS = 60_000

interface Visit {
  name: string
  agent: RunningAgent
  sessionId: string
  startedMs: number
  minutes: number
}

export interface AbsenceReport {
  minutes: number
  /** By station, how far from the truth it locked, ms; of the one whose session goes on, how far apart they were. */
  errorsMs: Record<'ends-away' | 'restarts' | 'goes-on', number>
  /** The failures found, in words. */
  faults: string[]
}

/**
 * Takes the server away for so many minutes, with `kill -9`, while three stations have sessions: one ends
 * meanwhile, one too although its agent is killed and started again, one outlasts the absence.
 * @param minutes whole, 4 at least
 */
export async function leaveAlone(minutes: number, tell: (line: string) => void): Promise<AbsenceReport> {
  const server = await startServer({ env: { ESCALE_LOG_LEVEL: 'warn' } })
  const visits: Visit[] = []
  const faults: string[] = []
  try {
    let api = await signIn(server)
    const lasting = {
      'ends-away': Math.floor(minutes / 2),
      restarts: Math.floor(minutes / 2),
      'goes-on': 2 * minutes,
    }
    for (const [index, [name, length]] of Object.entries(lasting).entries()) {
      const agent = await startAgentAs(server.url, await enrolStation(server, api, name, macOf(index)))
      visits.push({ name, agent, minutes: length, ...(await begin(api, agent, name, length)) })
    }
    const [away, restarting, lastingOn] = visits as [Visit, Visit, Visit]
    const awayError = errorAtEnd(away)
    await server.kill()
    const backMs = performance.now() + minutes * MINUTE_MS
    tell(`the server is gone for ${minutes} minutes`)

    await delay((minutes / 4) * MINUTE_MS)
    await restarting.agent.kill()
    await restarting.agent.restart()
    tell('an agent was killed, and is back')
    const restartError = errorAtEnd(restarting)
    const errorsMs = { 'ends-away': await awayError, restarts: await restartError, 'goes-on': 0 }
    tell(
      `both sessions are over, ${errorsMs['ends-away'].toFixed(0)} and ${errorsMs.restarts.toFixed(0)} ms from the truth`,
    )

    await delay(backMs - performance.now())
    await server.restart()
    api = await signIn(server)
    tell('the server is back')
    errorsMs['goes-on'] = await apartBy(api, lastingOn)
    const check = async (visit: Visit, errorMs: number, mostMs: number) => {
      if (errorMs < -MOST_ERROR_MS || errorMs > mostMs) faults.push(`${visit.name}: not on time`)
      faults.push(...(await recordFaults(api, visit)))
    }
    await check(away, errorsMs['ends-away'], MOST_ERROR_MS)
    await check(restarting, errorsMs.restarts, MOST_GIFT_MS)
    if (Math.abs(errorsMs['goes-on']) > MOST_APART_MS) faults.push('goes-on: they do not agree')
    return { minutes, errorsMs, faults }
  } finally {
    for (const { agent } of visits) await agent.dispose()
    await server.dispose()
  }
}

/** Starts a session and waits until the station has it. */
async function begin(api: Api, agent: RunningAgent, stationId: string, minutes: number) {
  const stream = await openScreenStream(agent.screenUrl)
  const active = stream.next(({ phase }) => phase === 'active')
  const { id } = await api.post<{ id: string }>('/api/sessions/', { stationId, minutes })
  await api.post(`/api/sessions/${id}/start/`)
  const startedMs = performance.now()
  await active
  stream.close()
  return { sessionId: id, startedMs }
}

/** How late a station locks, ms. */
async function errorAtEnd({ agent, startedMs, minutes }: Visit): Promise<number> {
  const stream = await openScreenStream(agent.screenUrl)
  const lockedMs = await stream.next(({ phase }) => phase !== 'active')
  stream.close()
  return lockedMs - startedMs - minutes * MINUTE_MS
}

/** What is wrong with the record of a session that ended while the server was gone: on time, and told once. */
async function recordFaults(api: Api, { name, sessionId, minutes }: Visit): Promise<string[]> {
  const untilMs = performance.now() + RETURN_LIMIT_MS
  let session = await api.get<Session>(`/api/sessions/${sessionId}/`)
  while (session.state !== 'ended' && performance.now() < untilMs) {
    await delay(100)
    session = await api.get<Session>(`/api/sessions/${sessionId}/`)
  }
  const { state, endReason, startedAt = '', endedAt = '' } = session
  if (state !== 'ended' || endReason !== 'expired') return [`${name}: ${state} ${endReason ?? ''}`]
  const errorMs = Date.parse(endedAt) - Date.parse(startedAt) - minutes * MINUTE_MS
  const { count } = await api.get<LogPage>(`/api/logs/?action=session.expired&sessionId=${sessionId}`)
  return [
    ...(Math.abs(errorMs) > MOST_ERROR_MS ? [`${name}: recorded ${errorMs} ms from the truth`] : []),
    ...(count === 1 ? [] : [`${name}: told ${count} times`]),
  ]
}

/** How much longer a station shows than its server says, ms, once the station is connected again. */
async function apartBy(api: Api, { agent, sessionId }: Visit): Promise<number> {
  const stream = await openScreenStream(agent.screenUrl)
  let shown: ScreenView | undefined
  const shownAtMs = await stream.next((view) => {
    shown = view
    return view.isOnline && view.phase === 'active'
  })
  stream.close()
  const { remainingSeconds } = await api.get<Session>(`/api/sessions/${sessionId}/`)
  const passedMs = performance.now() - shownAtMs
  return (shown?.countdown?.remainingMs ?? 0) - passedMs - remainingSeconds * 1_000
}
