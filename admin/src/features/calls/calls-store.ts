import type { ServerFrame, StaffCall } from '@escale/protocol'
import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import { callsApi } from '../../api/resources.ts'
import { ApiError } from '../../api/problem.ts'
import { useLive } from '../../live/live-store.ts'
import { useServices } from '../../services.ts'
import { createBell } from './sound.ts'

const MUTED = 'escale.calls.muted'
/** A call that nobody answers is heard again. */
const RING_AGAIN_MS = 30_000

/** Visitors who call for help: loaded after each connection, then kept by live frames alone. */
export const useCalls = defineStore('calls', () => {
  const { api, preferences } = useServices()
  const calls = callsApi(api)
  const live = useLive()
  const bell = createBell()
  const open = reactive(new Map<string, StaffCall>())
  const loadError = ref<unknown>()
  const isMuted = ref(preferences.get(MUTED) === '1')
  /** Frames that come while the list is on its way are newer than the list. */
  let waiting: StaffCall[] | undefined
  let stopListening: (() => void) | undefined
  let ringing: ReturnType<typeof setInterval> | undefined

  const all = computed(() => [...open.values()].sort(byWait))
  const unanswered = computed(() => all.value.filter(({ state }) => state === 'waiting'))
  /** Changes with each press of a visitor's button. */
  const presses = computed(() => unanswered.value.map(({ id, times }) => `${id}/${times}`))

  function receive(frame: ServerFrame): void {
    if (frame.type === 'connection_established') void load()
    else if (frame.type === 'station_removed') forgetStation(frame.stationId)
    else if (frame.type === 'call_changed') {
      waiting?.push(frame.call)
      keep(frame.call)
    }
  }

  function keep(call: StaffCall): void {
    if (call.state === 'closed') open.delete(call.id)
    else open.set(call.id, call)
  }

  function forgetStation(stationId: string): void {
    for (const call of [...open.values()]) if (call.stationId === stationId) open.delete(call.id)
  }

  async function load(): Promise<void> {
    const mine: StaffCall[] = []
    waiting = mine
    loadError.value = undefined
    try {
      const found = await calls.all()
      if (waiting !== mine) return // a newer connection loads again
      open.clear()
      found.forEach(keep)
      mine.forEach(keep)
    } catch (error) {
      if (waiting === mine) loadError.value = error
    } finally {
      if (waiting === mine) waiting = undefined
    }
  }

  /** One that is over by now is over here too. */
  async function act(call: StaffCall, change: (id: string) => Promise<StaffCall>): Promise<void> {
    try {
      keep(await change(call.id))
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'not-found')) throw error
      open.delete(call.id)
    }
  }

  function ring(): void {
    if (!isMuted.value && unanswered.value.length > 0) void bell.ring()
  }

  watch(presses, (now, before) => {
    if (!now.some((press) => !before.includes(press))) return
    ring()
    clearInterval(ringing)
    ringing = setInterval(ring, RING_AGAIN_MS)
  })

  return {
    all,
    unanswered,
    isMuted,
    loadError,
    load,
    take: (call: StaffCall) => act(call, calls.take),
    close: (call: StaffCall) => act(call, calls.close),
    mute(muted: boolean) {
      isMuted.value = muted
      preferences.set(MUTED, muted ? '1' : '0')
      // Who turns the sound on hears what it is.
      if (!muted) void bell.ring()
    },
    start() {
      stopListening = live.listen(receive)
    },
    stop() {
      stopListening?.()
      clearInterval(ringing)
      waiting = undefined
      open.clear()
      loadError.value = undefined
    },
  }
})

/** Those that nobody has answered first, then by how long they have waited. */
function byWait(a: StaffCall, b: StaffCall): number {
  return Number(a.state === 'taken') - Number(b.state === 'taken') || a.calledAt.localeCompare(b.calledAt)
}
