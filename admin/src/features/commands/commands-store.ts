import type { CommandInput, Station, StationCommand } from '@escale/protocol'
import { defineStore } from 'pinia'
import { computed, reactive, watch } from 'vue'
import { FULL_PAGE } from '../../api/every-page.ts'
import { useLiveList } from '../../composables/use-live-list.ts'
import { useServices } from '../../services.ts'
import { useRoom } from '../room/room-store.ts'
import { activitiesOf, type Activity, type StationDocument } from './activity.ts'
import type { CommandTarget } from './menu-commands.ts'

/** Older documents are in the logs. */
const KEPT_DOCUMENTS = 50

/** Recent commands: loaded when the live connection opens, then kept up to date by its frames. */
export const useCommands = defineStore('commands', () => {
  const { api } = useServices()
  const room = useRoom()
  const commands = reactive(new Map<string, StationCommand>())
  const documents = reactive(new Map<string, StationDocument>())

  const { loadError, reload } = useLiveList({
    load: () => api.commands.list({ pageSize: FULL_PAGE }),
    show({ results }) {
      results.forEach(keep)
    },
    apply(frame) {
      if (frame.type === 'command_changed') keep(frame.command)
      else if (frame.type === 'station_changed') keepDocument(frame.station)
    },
    clear() {
      commands.clear()
      documents.clear()
    },
  })

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

  watch(
    () => room.isLoaded,
    (isLoaded) => {
      if (isLoaded) room.room.stations.forEach(keepDocument)
    },
  )

  return {
    activities: computed(() => activitiesOf(commands.values(), documents.values())),
    loadError,
    reload,
    send: (command: CommandInput, target: CommandTarget) =>
      'stationId' in target
        ? api.commands.send({ id: target.stationId }, command)
        : api.commands.sendToSeveral({ ...command, ...target }),
    /** Asks each station to drop the command; each answers what it did. */
    cancel: (waiting: Activity['cancellable']) =>
      Promise.all(
        waiting.map(({ id, stationId }) =>
          api.commands.send({ id: stationId }, { op: 'cancel', params: { commandId: id } }),
        ),
      ),
  }
})

/** A list and a frame may arrive in either order: the later status is the newer one. */
function rankOf({ status }: StationCommand): number {
  return status === 'sent' ? 0 : status === 'delivered' ? 1 : 2
}
