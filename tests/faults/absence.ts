import { setTimeout as delay } from 'node:timers/promises'
import type { ScreenView } from '@escale/agent'
import type { Log, Page, Session } from '@escale/protocol'
import { openScreenStream } from '../bench/screen-stream.ts'
import { startAgentAs, type RunningAgent } from '../support/agent.ts'
import { signIn, type Api } from '../support/api.ts'
import { startServer } from '../support/server.ts'
import { enrolStation, macOf } from '../support/station-client.ts'

const MINUTE_MS = 60_000
/** Largest allowed error of a session's end. */
const MOST_ERROR_MS = 250
/** How late a restarted station may lock: it continues from its last save and does not charge the time in between. */
const MOST_ERROR_AFTER_RESTART_MS = 10_000
/** Largest allowed difference of the remaining time between a station and its server. */
const MOST_DIFFERENCE_MS = 2_000
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
  /** For each station, how late it locked, ms. For `goes-on`, how much longer it showed than the server. */
  errorsMs: Record<'ends-away' | 'restarts' | 'goes-on', number>
  /** The failures found, as text. */
  faults: string[]
}

/**
 * Kills the server with `kill -9` and restarts it after some minutes, while three stations have sessions. The first
 * session ends in this time. So does the second, although its agent is killed and restarted. The third goes on.
 * @param minutes whole, 4 at least
 */
export async function runWithoutServer(
  minutes: number,
  report: (line: string) => void,
): Promise<AbsenceReport> {
  const server = await startServer({ env: { ESCALE_LOG_LEVEL: 'warn' } })
  const visits: Visit[] = []
  const faults: string[] = []
  try {
    let api = await signIn(server)
    const lengths = {
      'ends-away': Math.floor(minutes / 2),
      restarts: Math.floor(minutes / 2),
      'goes-on': 2 * minutes,
    }
    for (const [index, [name, length]] of Object.entries(lengths).entries()) {
      const agent = await startAgentAs(server.url, await enrolStation(server, api, name, macOf(index)))
      visits.push({ name, agent, minutes: length, ...(await begin(api, agent, name, length)) })
    }
    const [away, restarting, goingOn] = visits as [Visit, Visit, Visit]
    const awayError = errorAtEnd(away)
    await server.kill()
    const backMs = performance.now() + minutes * MINUTE_MS
    report(`the server is down for ${minutes} minutes`)

    await delay((minutes / 4) * MINUTE_MS)
    await restarting.agent.kill()
    await restarting.agent.restart()
    report('an agent was killed, and is back')
    const restartError = errorAtEnd(restarting)
    const errorsMs = { 'ends-away': await awayError, restarts: await restartError, 'goes-on': 0 }
    report(
      `both sessions are over, ${errorsMs['ends-away'].toFixed(0)} and ${errorsMs.restarts.toFixed(0)} ms late`,
    )

    await delay(backMs - performance.now())
    await server.restart()
    api = await signIn(server)
    report('the server is back')
    errorsMs['goes-on'] = await differenceFromServer(api, goingOn)
    const check = async (visit: Visit, errorMs: number, mostMs: number) => {
      if (errorMs < -MOST_ERROR_MS || errorMs > mostMs) faults.push(`${visit.name}: not on time`)
      faults.push(...(await recordFaults(api, visit)))
    }
    await check(away, errorsMs['ends-away'], MOST_ERROR_MS)
    await check(restarting, errorsMs.restarts, MOST_ERROR_AFTER_RESTART_MS)
    if (Math.abs(errorsMs['goes-on']) > MOST_DIFFERENCE_MS) faults.push('goes-on: they do not agree')
    return { minutes, errorsMs, faults }
  } finally {
    for (const { agent } of visits) await agent.dispose()
    await server.dispose()
  }
}

/** Starts a session and waits until the station shows it. */
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

/** Checks the server's record of a session that ended while it was down: it must end on time and be logged once. */
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
  const { count } = await api.get<Page<Log>>(`/api/logs/?action=session.expired&sessionId=${sessionId}`)
  return [
    ...(Math.abs(errorMs) > MOST_ERROR_MS ? [`${name}: recorded ${errorMs} ms late`] : []),
    ...(count === 1 ? [] : [`${name}: logged ${count} times`]),
  ]
}

/** How much longer the station shows than the server says, ms, after the station has reconnected. */
async function differenceFromServer(api: Api, { agent, sessionId }: Visit): Promise<number> {
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
