import { describe, expect, it } from 'vitest'
import { createTokens } from '../api/tokens.ts'
import { openStore } from './storage.ts'

/** A browser's storage in memory; it throws when `refuses` returns true. */
function browserStore(refuses: (act: string) => boolean = () => false) {
  const kept = new Map<string, string>()
  const unless = <T>(act: string, run: () => T): T => {
    if (refuses(act))
      throw new DOMException('refused', act === 'set' ? 'QuotaExceededError' : 'SecurityError')
    return run()
  }
  return {
    kept,
    storage: {
      getItem: (name: string) => unless('get', () => kept.get(name) ?? null),
      setItem: (name: string, text: string) => unless('set', () => void kept.set(name, text)),
      removeItem: (name: string) => unless('remove', () => void kept.delete(name)),
    } as unknown as Storage,
  }
}

describe('what the page stores', () => {
  it('is in the browser, and the next page reads it', () => {
    const { storage, kept } = browserStore()
    const store = openStore(() => storage)
    store.set('escale.language', 'en')
    expect([store.isKept, store.get('escale.language')]).toEqual([true, 'en'])
    expect(openStore(() => storage).get('escale.language')).toBe('en')
    store.remove('escale.language')
    expect(store.get('escale.language')).toBeUndefined()
    expect(kept.size).toBe(0)
  })

  it.each([
    ['access to the storage throws', () => openStore(() => { throw new DOMException('denied', 'SecurityError') })],
    ['the storage is missing', () => openStore(() => undefined as unknown as Storage)],
    ['every write throws', () => openStore(() => browserStore((act) => act === 'set').storage)],
    ['every access throws', () => openStore(() => browserStore(() => true).storage)],
  ])('is in memory when %s', (_name, open) => {
    const store = open()
    store.set('a', '1')
    expect([store.isKept, store.get('a'), store.get('b')]).toEqual([false, '1', undefined])
    store.remove('a')
    expect(store.get('a')).toBeUndefined()
  }) // prettier-ignore

  it('moves to memory when the browser’s storage fails later', () => {
    let isFull = false
    const { storage } = browserStore((act) => isFull && act === 'set')
    const store = openStore(() => storage)
    store.set('a', '1')
    isFull = true
    store.set('a', '2')
    expect([store.isKept, store.get('a')]).toEqual([false, '2'])
  })

  it('keeps an operator signed in until the page closes, without storage or BroadcastChannel', () => {
    const refused = openStore(() => browserStore(() => true).storage)
    const tokens = createTokens(refused, undefined)
    tokens.keep({ access: 'a1', refresh: 'r1' })
    tokens.keep({ access: 'a2', refresh: 'r2' })
    expect([tokens.access(), tokens.refresh()]).toEqual(['a2', 'r2'])
    tokens.forget()
    expect([tokens.access(), tokens.refresh()]).toEqual([undefined, undefined])
  })
})
