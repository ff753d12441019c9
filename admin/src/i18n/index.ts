import type { Language } from '@escale/protocol'
import { Lang } from 'quasar'
import english from 'quasar/lang/en-US'
import { createI18n } from 'vue-i18n'
import type { Store } from '../browser/storage.ts'
import { en } from './en.ts'
import { fr } from './fr.ts'
import type { Messages } from './messages.ts'
import { quasarFrench } from './quasar-french.ts'
import { typesetTable } from './typeset.ts'

declare module 'vue-i18n' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- the way to type every t()
  interface DefineLocaleMessage extends Messages {}
}

const STORAGE_KEY = 'escale.language'

/** In French nothing at all is singular; in English it is plural. */
const frenchPlural = (count: number) => (Math.abs(count) < 2 ? 0 : 1)

/** The operator's language: the one chosen on this computer, else French. */
export function chosenLanguage(store: Store): Language {
  return store.get(STORAGE_KEY) === 'en' ? 'en' : 'fr'
}

/** Remembers the choice and tells the page and Quasar. */
export function applyLanguage(language: Language, store: Store): void {
  store.set(STORAGE_KEY, language)
  document.documentElement.lang = language
  // Quasar's packs and its own Lang.set disagree on an optional parameter.
  Lang.set((language === 'fr' ? quasarFrench : english) as Parameters<typeof Lang.set>[0])
}

export function createMessages(language: Language) {
  return createI18n({
    legacy: false,
    locale: language,
    fallbackLocale: 'fr',
    messages: { fr: typesetTable(fr), en },
    pluralRules: { fr: frenchPlural },
  })
}
