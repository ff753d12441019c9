import { StationId } from '@escale/protocol'
import { computed, ref } from 'vue'

// The schema carries its pattern; its static type does not say so.
const SHAPE = new RegExp((StationId as typeof StationId & { pattern: string }).pattern)
const LONGEST = 32

/** Whether a text is topic-safe, as the contract asks of station ids. */
export const isStationId = (text: string) => SHAPE.test(text)

/** A station id made of a displayed name: `Poste n° 3` gives `poste-n-3`. */
export function stationIdFrom(label: string): string {
  return label
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LONGEST)
    .replace(/^-|-$/g, '')
}

/** The id of a thing: the one it has, else it follows the name until somebody types one. */
export function useIdFromName(name: () => string, known?: string) {
  const typed = ref(known)
  return computed({
    get: () => typed.value ?? stationIdFrom(name()),
    set: (id: string) => {
      typed.value = id
    },
  })
}
