import type { Desired } from '@escale/protocol'
import type { SessionRecord, StationRow } from '../../db/rows.ts'

/** What documents are made of. Each part is asked of the feature that owns it. */
export interface DocumentSources {
  stations: {
    find(id: string): Promise<StationRow | undefined>
    /** All stations by default. */
    findAll(where?: { id: string[] }): Promise<StationRow[]>
    /** Gives documents the next version, or `atLeast` if that is higher; each station at most once. */
    raiseVersions(raises: readonly { stationId: string; atLeast: number }[]): Promise<RaisedStation[]>
    /** @returns the stations whose versions were lowered, as they were */
    repairVersions(unixMs: number): Promise<StationRow[]>
  }
  sessions: { findRunningAtAny(stationIds: string[]): Promise<SessionRecord[]> }
  users: { firstNames(ids: string[]): Promise<Map<string, string>> }
  calls: { statesAt(stationIds: string[]): Promise<Map<string, CallState>> }
  logs: { last(): Promise<{ atMs: number } | undefined> }
}

export type CallState = NonNullable<Desired['staffCall']>['state']

/** A station with its new version, its call and its visitor's first name. */
type RaisedStation = StationRow & { call: CallState | null; firstName: string | null }

/** An active or suspended session, and its visitor's first name. */
export interface RunningSession {
  session: SessionRecord
  firstName?: string | undefined
}

/** By station, its active or suspended session. */
export async function runningSessionsAt(
  { sessions, users }: Pick<DocumentSources, 'sessions' | 'users'>,
  stationIds: string[],
): Promise<Map<string, RunningSession>> {
  const running = await sessions.findRunningAtAny(stationIds)
  const firstNames = await users.firstNames(running.flatMap(({ userId }) => userId ?? []))
  return new Map(
    running.map((session) => [
      session.stationId ?? '',
      { session, firstName: firstNames.get(session.userId ?? '') },
    ]),
  )
}
