import type { StaffCall } from '@escale/protocol'
import { useIntervalFn, useStorage } from '@vueuse/core'
import { defineStore } from 'pinia'
import { computed, reactive, watch } from 'vue'
import type { Api } from '../../api/client.ts'
import { everyPage } from '../../api/every-page.ts'
import { ApiError } from '../../api/problem.ts'
import { useLiveList } from '../../composables/use-live-list.ts'
import { useServices } from '../../services.ts'
import { createBell } from './bell.ts'

/** A call that nobody answers rings again. */
const RING_AGAIN_MS = 30_000

/** Visitors who call for help: loaded when the live connection opens, then kept up to date by its frames. */
export const useCalls = defineStore('calls', () => {
  const { api } = useServices()
  const ringBell = createBell()
  const open = reactive(new Map<string, StaffCall>())
  const muted = useStorage('escale.calls.muted', '0')
  const ringing = useIntervalFn(ring, RING_AGAIN_MS, { immediate: false })

  const all = computed(() => [...open.values()].sort(byWait))
  const unanswered = computed(() => all.value.filter(({ state }) => state === 'waiting'))
  /** A new entry each time that a visitor presses the button. */
  const presses = computed(() => unanswered.value.map(({ id, times }) => `${id}/${times}`))

  const { loadError, reload } = useLiveList({
    load: () => everyPage(api.calls.list),
    show(calls) {
      open.clear()
      calls.forEach(keep)
    },
    apply(frame) {
      if (frame.type === 'station_removed') forgetStation(frame.stationId)
      else if (frame.type === 'call_changed') keep(frame.call)
    },
    clear() {
      ringing.pause()
      open.clear()
    },
  })

  function keep(call: StaffCall): void {
    if (call.state === 'closed') open.delete(call.id)
    else open.set(call.id, call)
  }

  function forgetStation(stationId: string): void {
    for (const call of [...open.values()]) if (call.stationId === stationId) open.delete(call.id)
  }

  /** A call that was closed meanwhile is removed here too. */
  async function act(call: StaffCall, change: Api['calls']['take']): Promise<void> {
    try {
      keep(await change({ id: call.id }))
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'not-found')) throw error
      open.delete(call.id)
    }
  }

  function ring(): void {
    if (muted.value !== '1' && unanswered.value.length > 0) void ringBell()
  }

  watch(presses, (now, before) => {
    if (!now.some((press) => !before.includes(press))) return
    ring()
    ringing.resume()
  })

  return {
    all,
    unanswered,
    isMuted: computed(() => muted.value === '1'),
    loadError,
    reload,
    take: (call: StaffCall) => act(call, api.calls.take),
    close: (call: StaffCall) => act(call, api.calls.close),
    mute(isMuted: boolean) {
      muted.value = isMuted ? '1' : '0'
      // Whoever turns the sound on hears what it is like.
      if (!isMuted) void ringBell()
    },
  }
})

/** Unanswered calls first, then the longest wait first. */
function byWait(a: StaffCall, b: StaffCall): number {
  return Number(a.state === 'taken') - Number(b.state === 'taken') || a.calledAt.localeCompare(b.calledAt)
}
