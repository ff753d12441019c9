import type { Session, Station } from '@escale/protocol'
import type { Room } from './room-state.ts'

/** The status on a station's card. It also depends on the session there. */
export const stationStatuses = [
  'available',
  'occupied',
  'suspended',
  'cleaning',
  'offline',
  'maintenance',
] as const
export type StationStatus = (typeof stationStatuses)[number]

/** Problems that an operator should look at, worst first. */
export const troubles = [
  'two-machines',
  'lost-in-session',
  'offline',
  'never-connected',
  'disk-full',
  'too-hot',
] as const
export type Trouble = (typeof troubles)[number]

const FULL_DISK_PERCENT = 95
const TOO_HOT_C = 90

export interface StationView {
  station: Station
  session: Session | undefined
  status: StationStatus
  trouble: Trouble | undefined
}

/** Each station with its active or suspended session: stations with a problem first, then by label. */
export function stationViews(room: Room, language: string): StationView[] {
  const sessionAt = new Map<string, Session>()
  for (const session of room.sessions.values()) {
    if (session.stationId !== undefined && session.state !== 'pending')
      sessionAt.set(session.stationId, session)
  }
  const collator = new Intl.Collator(language, { numeric: true, sensitivity: 'base' })
  return [...room.stations.values()]
    .map((station) => viewOf(station, sessionAt.get(station.id)))
    .sort((a, b) => rankOf(a) - rankOf(b) || collator.compare(a.station.label, b.station.label))
}

function viewOf(station: Station, session: Session | undefined): StationView {
  return { station, session, status: statusOf(station, session), trouble: troubleOf(station, session) }
}

function statusOf(station: Station, session: Session | undefined): StationStatus {
  if (session !== undefined) return session.state === 'suspended' ? 'suspended' : 'occupied'
  if (station.state !== 'occupied') return station.state
  return station.activeSessionId === undefined ? 'cleaning' : 'occupied'
}

function troubleOf(station: Station, session: Session | undefined): Trouble | undefined {
  if (station.state === 'maintenance') return undefined
  if (station.conflictAt !== undefined) return 'two-machines'
  if (!station.online && session !== undefined) return 'lost-in-session'
  if (!station.online) return station.lastHeartbeatAt === undefined ? 'never-connected' : 'offline'
  if ((station.metrics?.diskPercent ?? 0) >= FULL_DISK_PERCENT) return 'disk-full'
  if ((station.metrics?.temperatureC ?? 0) >= TOO_HOT_C) return 'too-hot'
  return undefined
}

const rankOf = (view: StationView) =>
  view.trouble === undefined ? troubles.length : troubles.indexOf(view.trouble)

/** Whether a card matches a search by label, location or visitor; accents and case do not matter. */
export function matchesSearch(view: StationView, visitorName: string, typed: string): boolean {
  const wanted = folded(typed)
  return [view.station.label, view.station.location ?? '', view.station.id, visitorName].some((text) =>
    folded(text).includes(wanted),
  )
}

const folded = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim()
