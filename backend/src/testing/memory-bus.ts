import type { Bus } from '../bus/port.ts'

interface Published {
  name: string
  party: string | undefined
  payload: object
}

/** A bus that only collects what is published, for tests. */
export function createMemoryBus(): Bus & { published: Published[] } {
  const published: Published[] = []
  return {
    published,
    publish(name, party, payload) {
      published.push({ name, party, payload })
      return Promise.resolve()
    },
    clearRetained: () => Promise.resolve(),
    disconnectStation: () => undefined,
    principals: () => [],
    disconnect: () => 0,
  }
}
