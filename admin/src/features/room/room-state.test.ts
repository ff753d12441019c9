import type { ServerFrame, Session, Station } from '@escale/protocol'
import { describe, expect, it } from 'vitest'
import { applyFrame, keepSession, keepStation, type Room } from './room-state.ts'
import { matchesSearch, stationViews } from './station-view.ts'

const AT = '2026-03-02T09:00:00.000Z'
const LATER = '2026-03-02T09:00:05.000Z'

const station = (id: string, changes: Partial<Station> = {}): Station => ({
  id,
  label: id,
  state: 'available',
  online: true,
  createdAt: AT,
  updatedAt: AT,
  ...changes,
})

const session = (id: string, changes: Partial<Session> = {}): Session => ({
  id,
  state: 'active',
  stationId: 'pc-1',
  grantedSeconds: 600,
  elapsedSeconds: 0,
  remainingSeconds: 600,
  percentUsed: 0,
  creditSeconds: 0,
  endsAt: LATER,
  mayOutliveClosing: false,
  createdBy: 'admin',
  createdAt: AT,
  updatedAt: AT,
  ...changes,
})

const roomWith = (stations: Station[], sessions: Session[] = []): Room => ({
  stations: new Map(stations.map((one) => [one.id, one])),
  sessions: new Map(sessions.map((one) => [one.id, one])),
})

const timeFrame = (changes: object): ServerFrame => ({
  type: 'time_update',
  sessionId: 's-1',
  state: 'active',
  grantedSeconds: 1_200,
  remainingSeconds: 900,
  elapsedSeconds: 300,
  percentUsed: 25,
  endsAt: LATER,
  sentAt: AT,
  ...changes,
})

const logFrame = (action: string, ids: object): ServerFrame =>
  ({ type: 'log_added', log: { action, ...ids } }) as unknown as ServerFrame

describe('live frames', () => {
  it('update a known session and keep its user', () => {
    const room = roomWith([], [session('s-1', { userId: 'u-1' })])
    expect(applyFrame(room, timeFrame({ state: 'suspended', endsAt: undefined }))).toEqual([])
    expect(room.sessions.get('s-1')).toMatchObject({
      userId: 'u-1',
      state: 'suspended',
      remainingSeconds: 900,
      stationId: 'pc-1',
      endsAt: undefined,
    })
  })

  it('cause a request for an unknown session, but not for an ended one', () => {
    const room = roomWith([])
    expect(applyFrame(room, timeFrame({}))).toEqual([{ load: 'session', id: 's-1' }])
    expect(applyFrame(room, timeFrame({ state: 'ended' }))).toEqual([])
    expect(room.sessions.size).toBe(0)
  })

  it('remove a session that ended, was terminated, or was cancelled by somebody else', () => {
    const room = roomWith([], [session('s-1'), session('s-2'), session('s-3')])
    applyFrame(room, timeFrame({ state: 'ended' }))
    applyFrame(room, timeFrame({ type: 'session_terminated', sessionId: 's-2', endReason: 'terminated' }))
    applyFrame(room, logFrame('session.cancelled', { sessionId: 's-3' }))
    expect([...room.sessions.keys()]).toEqual([])
  })

  it('do not change a station when the known version is newer', () => {
    const room = roomWith([station('pc-1', { label: 'new', updatedAt: LATER })])
    keepStation(room, station('pc-1', { label: 'old' }))
    expect(room.stations.get('pc-1')?.label).toBe('new')
  })

  it('name what else to load', () => {
    const room = roomWith([])
    expect(applyFrame(room, logFrame('station.enrolment_requested', {}))).toEqual([
      { load: 'pairing-requests' },
    ])
    expect(applyFrame(room, logFrame('user.updated', { userId: 'u-1' }))).toEqual([
      { load: 'user', id: 'u-1' },
    ])
    expect(applyFrame(room, logFrame('auth.login_succeeded', {}))).toEqual([])
  })

  it('prevent a late answer from bringing an ended session back', () => {
    const room = roomWith([], [session('s-1')])
    keepSession(room, session('s-1', { state: 'ended' }))
    expect(room.sessions.size).toBe(0)
  })
})

describe('the cards of the room', () => {
  it('are sorted by problems first, then by label in natural order', () => {
    const room = roomWith(
      [
        station('a', { label: 'Poste 10' }),
        station('b', { label: 'Poste 2' }),
        station('c', { label: 'Poste 9', online: false, state: 'offline', lastHeartbeatAt: AT }),
        station('f', { label: 'Poste 3', online: false, state: 'offline' }),
        station('d', { label: 'Poste 11', online: false, state: 'occupied' }),
        station('e', { label: 'Poste 1', state: 'maintenance', online: false }),
      ],
      [session('s-1', { stationId: 'd' })],
    )
    expect(stationViews(room, 'fr').map((view) => view.station.label)).toEqual([
      'Poste 11',
      'Poste 9',
      'Poste 3',
      'Poste 1',
      'Poste 2',
      'Poste 10',
    ])
  })

  it('show cleaning, a running session and a suspended session differently', () => {
    const room = roomWith(
      [
        station('a', { state: 'occupied' }),
        station('b', { state: 'occupied', activeSessionId: 's-1' }),
        station('c', { state: 'occupied', activeSessionId: 's-9' }),
      ],
      [
        session('s-1', { stationId: 'b', state: 'suspended' }),
        session('s-2', { stationId: 'a', state: 'pending' }),
      ],
    )
    expect(stationViews(room, 'fr').map((view) => view.status)).toEqual(['cleaning', 'suspended', 'occupied'])
  })

  it('are found by a visitor’s name without accents', () => {
    const [view] = stationViews(roomWith([station('a')]), 'fr')
    expect(matchesSearch(view!, 'Aïcha Lefèvre', 'aicha lefe')).toBe(true)
    expect(matchesSearch(view!, 'Aïcha Lefèvre', 'moreau')).toBe(false)
  })
})
