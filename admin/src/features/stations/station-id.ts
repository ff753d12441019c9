import { StationId } from '@escale/protocol'
import { watch } from 'vue'

// The schema has a pattern, but its static type does not show it.
const SHAPE = new RegExp((StationId as typeof StationId & { pattern: string }).pattern)
const LONGEST = 32

/** Whether a text may be the id of a station or an account: such an id is part of MQTT topics. */
export const isStationId = (text: string) => SHAPE.test(text)

/** An id made from a displayed name: `Poste n° 3` gives `poste-n-3`. */
export function stationIdFrom(label: string): string {
  return label
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST)
    .replace(/^-|-$/g, '')
}

/** A new id, which is `values[key]`, follows the name until somebody types another id. */
export function followName<Key extends string>(name: () => string, values: Record<Key, string>, key: Key) {
  watch(name, (text, before) => {
    if (values[key] === stationIdFrom(before)) values[key] = stationIdFrom(text)
  })
}
