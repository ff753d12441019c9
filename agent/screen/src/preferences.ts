import { computed, reactive, watchEffect } from 'vue'
import type { Language } from '@escale/protocol'
import { texts } from './languages.ts'

/** The visitor's choices. They are not stored, so that the next visitor gets the site's defaults. */
export function usePreferences(siteLanguage: () => Language) {
  const chosen = reactive<{ language?: Language; textSize: 1 | 2 | 3; isHighContrast: boolean }>({
    textSize: 1,
    isHighContrast: false,
  })
  const language = computed(() => chosen.language ?? siteLanguage())
  watchEffect(() => {
    const root = document.documentElement
    root.lang = language.value
    root.dataset['text'] = String(chosen.textSize)
    root.dataset['contrast'] = chosen.isHighContrast ? 'high' : 'normal'
  })
  return {
    chosen,
    language,
    t: computed(() => texts[language.value]),
    forget: () => {
      chosen.language = undefined
      chosen.textSize = 1
      chosen.isHighContrast = false
    },
  }
}

export type Preferences = ReturnType<typeof usePreferences>
