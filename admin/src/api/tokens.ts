import type { TokenPair } from '@escale/protocol'
import type { Store } from '../browser/storage.ts'

/** The tokens of this page. */
export type Tokens = ReturnType<typeof createTokens>

const STORAGE_KEY = 'escale.refresh'

interface Rotation {
  replaced: string
  pair: TokenPair
}

/**
 * The access token is kept in memory, the refresh token in sessionStorage. So the operator stays signed in after a
 * reload, closing the tab signs out, and nothing is left on the disk of a shared computer. Where the browser keeps
 * nothing, a reload signs out. A cookie would need protection against forged requests; the API takes bearer tokens.
 *
 * A duplicated tab starts with a copy of the refresh token. Once one tab has exchanged it, the other copy would look
 * stolen. So each exchange is sent to the other tabs, and a tab that holds the old token takes the new one.
 */
export function createTokens(store: Store, otherTabs?: BroadcastChannel) {
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
    keep(pair: TokenPair) {
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
