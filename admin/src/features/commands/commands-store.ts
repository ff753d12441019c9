import type { CommandInput, ServerFrame, Station, StationCommand } from '@escale/protocol'
import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import { commandsApi } from '../../api/resources.ts'
import { useLive } from '../../live/live-store.ts'
import { useServices } from '../../services.ts'
import { useRoom } from '../room/room-store.ts'
import { activitiesOf, type Activity, type StationDocument } from './activity.ts'
import type { OrderTarget } from './orders.ts'

/** More is history, which the journal tells. */
const KEPT_DOCUMENTS = 50

/** What was asked of stations lately: loaded after each connection, then kept by live frames alone. */
export const useCommands = defineStore('commands', () => {
  const api = commandsApi(useServices().api)
  const live = useLive()
  const room = useRoom()
  const commands = reactive(new Map<string, StationCommand>())
  const documents = reactive(new Map<string, StationDocument>())
  const loadError = ref<unknown>()
  let stopListening: (() => void) | undefined

  function receive(frame: ServerFrame): void {
    if (frame.type === 'connection_established') void load()
    else if (frame.type === 'command_changed') keep(frame.command)
    else if (frame.type === 'station_changed') keepDocument(frame.station)
  }

  function keep(command: StationCommand): void {
    const known = commands.get(command.id)
    if (known === undefined || rankOf(known) <= rankOf(command)) commands.set(command.id, command)
  }

  function keepDocument({ id: stationId, document }: Station): void {
    if (document === undefined) return
    documents.set(`${stationId}/${document.version}`, { stationId, ...document })
    for (const key of documents.keys()) {
      if (documents.size <= KEPT_DOCUMENTS) break
      documents.delete(key)
    }
  }

  async function load(): Promise<void> {
    loadError.value = undefined
    try {
      const { results } = await api.recent()
      results.forEach(keep)
    } catch (error) {
      loadError.value = error
    }
  }

  watch(
    () => room.isLoaded,
    (isLoaded) => {
      if (isLoaded) room.room.stations.forEach(keepDocument)
    },
  )

  return {
    activities: computed(() => activitiesOf(commands.values(), documents.values())),
    loadError,
    load,
    send: (order: CommandInput, target: OrderTarget) => api.send(order, target),
    /** Asks each station to leave it; each says what became of it. */
    cancel: (waiting: Activity['cancellable']) =>
      Promise.all(
        waiting.map(({ id, stationId }) =>
          api.send({ op: 'cancel', params: { commandId: id } }, { stationId }),
        ),
      ),
    start() {
      stopListening = live.listen(receive)
    },
    stop() {
      stopListening?.()
      commands.clear()
      loadError.value = undefined
      documents.clear()
    },
  }
})

/** An answer and a frame may overtake each other: what has come further is newer. */
function rankOf({ status }: StationCommand): number {
  return status === 'sent' ? 0 : status === 'delivered' ? 1 : 2
}
