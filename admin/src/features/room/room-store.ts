import type { PairingRequest, Session, Station, User } from '@escale/protocol'
import { defineStore } from 'pinia'
import { computed, reactive, ref } from 'vue'
import { everyPage } from '../../api/every-page.ts'
import { ApiError } from '../../api/problem.ts'
import { useLiveList } from '../../composables/use-live-list.ts'
import { useLive } from '../../live/live-store.ts'
import { useServices } from '../../services.ts'
import { useOperator } from '../auth/operator.ts'
import { applyFrame, keepSession, keepStation, type Followup, type Room } from './room-state.ts'

/** The room: loaded when the live connection opens, then kept up to date by its frames. */
export const useRoom = defineStore('room', () => {
  const { api } = useServices()
  const live = useLive()
  const operator = useOperator()

  const room = reactive<Room>({ stations: new Map(), sessions: new Map() })
  const visitors = reactive(new Map<string, User>())
  const pairingRequests = ref<PairingRequest[]>([])
  const credits = ref<Session[]>([])
  const isLoaded = ref(false)

  const once = oneAtATime((error) => {
    // What was removed meanwhile is not shown.
    if (!(error instanceof ApiError && error.code === 'not-found')) loadError.value = error
  })
  const { loadError, reload } = useLiveList({
    load: () =>
      Promise.all([
        everyPage(api.stations.list),
        everyPage(api.sessions.listActive),
        everyPage((query) => api.sessions.list({ ...query, state: 'pending' })),
        everyPage((query) => api.users.list({ ...query, hasOpenSession: true })),
      ]),
    show([stations, active, pending, users]) {
      show(stations, [...active, ...pending], users)
      isLoaded.value = true
      void loadPairingRequests()
      void loadCredits()
    },
    apply(frame) {
      for (const followup of applyFrame(room, frame)) void follow(followup)
    },
    clear() {
      show([], [], [])
      pairingRequests.value = []
      credits.value = []
      isLoaded.value = false
    },
  })

  function show(stations: Station[], sessions: Session[], users: User[]): void {
    room.stations = new Map(stations.map((station) => [station.id, station]))
    room.sessions = new Map(sessions.map((session) => [session.id, session]))
    visitors.clear()
    for (const user of users) visitors.set(user.id, user)
  }

  async function follow(followup: Followup): Promise<void> {
    if (followup.load === 'pairing-requests') await loadPairingRequests()
    else if (followup.load === 'credits') await loadCredits()
    else if (followup.load === 'session') await loadSession(followup.id)
    else if (visitors.delete(followup.id)) await loadVisitor(followup.id)
  }

  async function loadSession(id: string): Promise<void> {
    await once(id, async () => keep(await api.sessions.read({ id })))
  }

  async function loadVisitor(id: string | undefined): Promise<void> {
    if (id === undefined || visitors.has(id)) return
    await once(id, async () => void visitors.set(id, await api.users.read({ id })))
  }

  async function loadCredits(): Promise<void> {
    await once('credits', async () => {
      credits.value = await everyPage((query) => api.sessions.list({ ...query, hasCredit: true }))
      for (const { userId } of credits.value) void loadVisitor(userId)
    })
  }

  async function loadPairingRequests(): Promise<void> {
    await once('pairing-requests', async () => {
      await operator.restore()
      if (!operator.isAdmin) return // the server would refuse
      pairingRequests.value = await everyPage(api.enrolment.list)
    })
  }

  function keep(session: Session): void {
    keepSession(room, session)
    void loadVisitor(session.userId)
  }

  /** The label of a station; its id when the station is unknown, an empty text without an id. */
  const stationLabel = (id: string | undefined) =>
    id === undefined ? '' : (room.stations.get(id)?.label ?? id)

  return {
    room,
    stationLabel,
    visitors,
    credits,
    pairingRequests: computed(() =>
      pairingRequests.value.filter(
        (request) => request.state === 'waiting' && Date.parse(request.expiresAt) > live.nowMs,
      ),
    ),
    pendingSessions: computed(() =>
      [...room.sessions.values()]
        .filter((session) => session.state === 'pending')
        .sort((a, b) => b.createdAt.localeCompare(a.createdAt)),
    ),
    isLoaded,
    loadError,
    reload,
    keep,
    keepStation: (station: Station) => keepStation(room, station),
    keepVisitor: (visitor: User) => void visitors.set(visitor.id, visitor),
    forgetSession: (id: string) => void room.sessions.delete(id),
    loadPairingRequests,
  }
})

/** One request at a time for each key. Asked for again meanwhile, it is sent again: its answer may be too old. */
function oneAtATime(onError: (error: unknown) => void) {
  const running = new Map<string, { isRepeated: boolean }>()

  return async function once(key: string, ask: () => Promise<void>): Promise<void> {
    const earlier = running.get(key)
    if (earlier !== undefined) {
      earlier.isRepeated = true
      return
    }
    const request = { isRepeated: false }
    running.set(key, request)
    await ask().catch(onError)
    running.delete(key)
    if (request.isRepeated) await once(key, ask)
  }
}
