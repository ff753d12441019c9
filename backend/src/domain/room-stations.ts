import type { StationStats } from '@escale/protocol'
import { compareValues } from './selection.ts'
import type { RoomStation } from './station.ts'

/** The stations of the room, by id, by MAC address, and sorted by label. */
export function createRoomStations() {
  const stations = new Map<string, RoomStation>()
  const idByMac = new Map<string, string>()
  /** Sorted again when a station's search text changes. */
  let sorted: { stations: RoomStation[]; places: Map<string, number> } | undefined

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
      const place = sorted?.places.get(id)
      if (sorted && place !== undefined && before?.searchText === station.searchText)
        sorted.stations[place] = station
      else sorted = undefined
    },

    remove(id: string): void {
      const before = stations.get(id)
      if (!before) return
      forgetMac(before)
      stations.delete(id)
      sorted = undefined
    },

    reads: {
      station: (id: string): RoomStation | undefined => stations.get(id),
      stations: (): IterableIterator<RoomStation> => stations.values(),
      stationByMac: (macAddress: string): RoomStation | undefined =>
        stations.get(idByMac.get(macAddress) ?? ''),

      /** All stations sorted by label, without regard to accents and case. */
      sortedStations(): readonly RoomStation[] {
        if (!sorted) {
          const inOrder = [...stations.values()].sort(byLabel)
          const places = new Map(inOrder.map(({ record }, place) => [record.id, place]))
          sorted = { stations: inOrder, places }
        }
        return sorted.stations
      },

      stationStats(): StationStats {
        const counts = { available: 0, occupied: 0, maintenance: 0, offline: 0 }
        let online = 0
        for (const { state, presence } of stations.values()) {
          counts[state] += 1
          if (presence.online) online += 1
        }
        return { total: stations.size, ...counts, online }
      },
    },
  }
}

const byLabel = (a: RoomStation, b: RoomStation): number =>
  compareValues(a.searchText, b.searchText) || compareValues(a.record.id, b.record.id)
