/** What this page may keep in the browser: texts by name, of one tab or of the whole browser. */
export interface Store {
  get: (name: string) => string | undefined
  set: (name: string, text: string) => void
  remove: (name: string) => void
  /** Whether the browser keeps it; else it lasts as long as the page. */
  readonly isKept: boolean
}

/**
 * The browser's own store, or this page's memory where the browser refuses: with site data blocked even naming
 * `localStorage` throws, in a private window or on a full disk writing may.
 * @param open names the store, such as `() => localStorage`
 */
export function openStore(open: () => Storage): Store {
  const memory = new Map<string, string>()
  const storage = usable(open)
  let isKept = storage !== undefined

  function attempt<T>(act: (storage: Storage) => T): T | undefined {
    if (storage === undefined || !isKept) return undefined
    try {
      return act(storage)
    } catch {
      // Refused from now on: the page goes on with what it remembers itself.
      isKept = false
      return undefined
    }
  }

  return {
    get(name) {
      const text = attempt((kept) => kept.getItem(name)) ?? undefined
      return isKept ? text : memory.get(name)
    },
    set(name, text) {
      memory.set(name, text)
      attempt((kept) => {
        kept.setItem(name, text)
      })
    },
    remove(name) {
      memory.delete(name)
      attempt((kept) => {
        kept.removeItem(name)
      })
    },
    get isKept() {
      return isKept
    },
  }
}

const PROBE = 'escale.probe'

function usable(open: () => Storage): Storage | undefined {
  try {
    const storage = open()
    storage.setItem(PROBE, '1')
    storage.removeItem(PROBE)
    return storage
  } catch {
    return undefined
  }
}

/** A line to the other tabs of this site, where the browser gives one. */
export function openChannel(name: string): BroadcastChannel | undefined {
  try {
    return new BroadcastChannel(name)
  } catch {
    return undefined
  }
}
