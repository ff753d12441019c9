import type { TokenPair } from '@escale/protocol'
import type { Store } from '../browser/storage.ts'

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
 * signed in, closing the tab signs out, and nothing is left on the disk of a shared desk computer. Where the
 * browser refuses to keep anything, a reload signs out.
 * A cookie would have to be guarded against forged requests; the contract knows bearer tokens only.
 *
 * A duplicated tab starts with a copy of the refresh token, and rotating one copy would make the other
 * look stolen. So a rotation is told to the other tabs, and who held the replaced token takes the new one.
 */
export function createTokens(store: Store, otherTabs?: BroadcastChannel): Tokens {
  let access: string | undefined

  const take = (pair: TokenPair) => {
    access = pair.access
    store.set(STORAGE_KEY, pair.refresh)
  }
  const refresh = () => store.get(STORAGE_KEY)

  otherTabs?.addEventListener('message', (event: MessageEvent<Rotation>) => {
    if (event.data.replaced === refresh()) take(event.data.pair)
  })

  return {
    access: () => access,
    refresh,
    keep(pair) {
      const replaced = refresh()
      take(pair)
      if (replaced !== undefined) otherTabs?.postMessage({ replaced, pair } satisfies Rotation)
    },
    forget() {
      access = undefined
      store.remove(STORAGE_KEY)
    },
  }
}
