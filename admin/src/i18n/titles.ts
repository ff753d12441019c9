import type { Bilingual, Language } from '@escale/protocol'

/** The texts of one language, by the same keys. */
export const titlesIn = <Key extends string>(titles: Record<Key, Bilingual>, language: Language) =>
  Object.fromEntries(
    Object.entries<Bilingual>(titles).map(([key, title]) => [key, title[language]]),
  ) as Record<Key, string>
