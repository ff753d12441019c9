import type { TokenPair } from '@escale/protocol'

export interface Tokens {
  access: () => string | undefined
  refresh: () => string | undefined
  keep: (pair: TokenPair) => void
  forget: () => void
}

const STORAGE_KEY = 'escale.refresh'

interface Rotation {
  replaced: string
  pair: TokenPair
}

/**
 * The access token stays in memory, the refresh token in sessionStorage: a reload keeps the operator
 * signed in, closing the tab signs out, and nothing is left on the disk of a shared desk computer.
 * A cookie would have to be guarded against forged requests; the contract knows bearer tokens only.
 *
 * A duplicated tab starts with a copy of the refresh token, and rotating one copy would make the other
 * look stolen. So a rotation is told to the other tabs, and who held the replaced token takes the new one.
 */
export function createTokens(storage: Storage, otherTabs?: BroadcastChannel): Tokens {
  let access: string | undefined

  const store = (pair: TokenPair) => {
    access = pair.access
    storage.setItem(STORAGE_KEY, pair.refresh)
  }
  const refresh = () => storage.getItem(STORAGE_KEY) ?? undefined

  otherTabs?.addEventListener('message', (event: MessageEvent<Rotation>) => {
    if (event.data.replaced === refresh()) store(event.data.pair)
  })

  return {
    access: () => access,
    refresh,
    keep(pair) {
      const replaced = refresh()
      store(pair)
      if (replaced !== undefined) otherTabs?.postMessage({ replaced, pair } satisfies Rotation)
    },
    forget() {
      access = undefined
      storage.removeItem(STORAGE_KEY)
    },
  }
}
