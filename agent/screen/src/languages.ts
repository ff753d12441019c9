import type { Language } from '@escale/protocol'
import { en } from './texts-en.ts'
import { fr } from './texts-fr.ts'
import type { Texts } from './texts.ts'

/** What the screen says, by language. */
export const texts: Record<Language, Texts> = { fr, en }
