import type { StationStats } from '@escale/protocol'
import { compareValues } from './selection.ts'
import { createSortedList } from './sorted-list.ts'
import type { RoomStation } from './station.ts'

/** The stations of the room, by id, by MAC address, and sorted by label. */
export function createRoomStations() {
  const stations = new Map<string, RoomStation>()
  const idByMac = new Map<string, string>()
  const sorted = createSortedList(byLabel)
  /** Counted again when they are asked for after a change. */
  let stats: StationStats | undefined

  function forgetMac({ record: { id, macAddress } }: RoomStation): void {
    if (macAddress !== null && idByMac.get(macAddress) === id) idByMac.delete(macAddress)
  }

  return {
    put(station: RoomStation): void {
      const { id, macAddress } = station.record
      const before = stations.get(id)
      if (before?.record.macAddress !== macAddress) {
        if (before) forgetMac(before)
        if (macAddress !== null) idByMac.set(macAddress, id)
      }
      stations.set(id, station)
      if (before) sorted.replace(before, station)
      else sorted.add(station)
      stats = undefined
    },

    remove(id: string): void {
      const before = stations.get(id)
      if (!before) return
      forgetMac(before)
      stations.delete(id)
      sorted.remove(before)
      stats = undefined
    },

    reads: {
      station: (id: string): RoomStation | undefined => stations.get(id),
      stations: (): IterableIterator<RoomStation> => stations.values(),
      stationByMac: (macAddress: string): RoomStation | undefined =>
        stations.get(idByMac.get(macAddress) ?? ''),

      /** All stations sorted by label, without regard to accents and case. */
      sortedStations: (): readonly RoomStation[] => sorted.items,
      stationStats: (): StationStats => (stats ??= count(sorted.items)),
    },
  }
}

function count(stations: readonly RoomStation[]): StationStats {
  const counts = { available: 0, occupied: 0, maintenance: 0, offline: 0 }
  let online = 0
  for (const { state, presence } of stations) {
    counts[state] += 1
    if (presence.online) online += 1
  }
  return { total: stations.length, ...counts, online }
}

const byLabel = (a: RoomStation, b: RoomStation): number =>
  compareValues(a.searchText, b.searchText) || compareValues(a.record.id, b.record.id)
