import type { fr } from './fr.ts'

/** Every language has the keys of the French table. */
export type Messages = typeof fr
