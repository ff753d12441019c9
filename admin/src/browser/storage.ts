/** What a page may store in the browser: texts by name. */
export interface Store {
  get: (name: string) => string | undefined
  set: (name: string, text: string) => void
  remove: (name: string) => void
  /** False when the browser refuses: then a text lasts as long as the page. */
  readonly isKept: boolean
}

const PROBE = 'escale.probe'

/**
 * The browser's own storage, or the memory of this page when the browser refuses. With site data blocked, even the
 * name `localStorage` throws; in a private window or on a full disk, writing may throw.
 * @param open names the storage, such as `() => localStorage`
 */
export function openStore(open: () => Storage): Store {
  const memory = new Map<string, string>()
  let opened: Storage | undefined
  let isKept = true

  /** After the first refusal the browser's storage is not used any more. */
  function attempt<T>(act: (storage: Storage) => T): T | undefined {
    if (!isKept) return undefined
    try {
      opened ??= open()
      return act(opened)
    } catch {
      isKept = false
      return undefined
    }
  }
  attempt((storage) => {
    storage.setItem(PROBE, '1')
    storage.removeItem(PROBE)
  })

  return {
    get(name) {
      const text = attempt((storage) => storage.getItem(name)) ?? undefined
      return isKept ? text : memory.get(name)
    },
    set(name, text) {
      memory.set(name, text)
      attempt((storage) => {
        storage.setItem(name, text)
      })
    },
    remove(name) {
      memory.delete(name)
      attempt((storage) => {
        storage.removeItem(name)
      })
    },
    get isKept() {
      return isKept
    },
  }
}

/** A channel to the other tabs of this site, where the browser has one. */
export function openChannel(name: string): BroadcastChannel | undefined {
  try {
    return new BroadcastChannel(name)
  } catch {
    return undefined
  }
}
