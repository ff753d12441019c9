import type { Language } from '@escale/protocol'
import { createGlobalState, useStorage } from '@vueuse/core'
import { Lang } from 'quasar'
import english from 'quasar/lang/en-US'
import french from 'quasar/lang/fr'
import { computed } from 'vue'
import { createI18n } from 'vue-i18n'
import { en } from './en.ts'
import { fr } from './fr.ts'
import type { Messages } from './messages.ts'
import { typesetTable } from './typeset.ts'

declare module 'vue-i18n' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- the way to type every t()
  interface DefineLocaleMessage extends Messages {}
}

/** In French zero is singular; in English it is plural. */
const frenchPlural = (count: number) => (Math.abs(count) < 2 ? 0 : 1)

/** The operator's language, which this browser remembers; French at first. */
export const useLanguage = createGlobalState(() => {
  const saved = useStorage('escale.language', 'fr', undefined, { onError: () => undefined })
  return computed<Language>({
    get: () => (saved.value === 'en' ? 'en' : 'fr'),
    set: (language) => {
      saved.value = language
    },
  })
})

/** Changes the page and Quasar to a language. */
export function applyLanguage(language: Language): void {
  document.documentElement.lang = language
  // Quasar's language packs and its own Lang.set disagree about an optional parameter.
  Lang.set((language === 'fr' ? french : english) as Parameters<typeof Lang.set>[0])
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
