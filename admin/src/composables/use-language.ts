import type { Language } from '@escale/protocol'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { applyLanguage } from '../i18n/index.ts'
import { useServices } from '../services.ts'

/** The two languages: which one is on, and the way to the other. */
export function useLanguage() {
  const { locale } = useI18n()
  const { preferences } = useServices()
  const other = computed<Language>(() => (locale.value === 'fr' ? 'en' : 'fr'))
  return {
    other,
    switchLanguage: () => {
      const language = other.value
      locale.value = language
      applyLanguage(language, preferences)
    },
  }
}
