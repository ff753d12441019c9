import type { fr } from './fr.ts'

/** Every language has the keys of the French texts. */
export type Messages = typeof fr
