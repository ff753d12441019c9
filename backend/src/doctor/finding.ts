/** One thing looked at; a fault says in a sentence what to do. */
export interface Finding {
  isGood: boolean
  french: string
  english: string
}

export const good = (french: string, english: string): Finding => ({ isGood: true, french, english })
export const bad = (french: string, english: string): Finding => ({ isGood: false, french, english })

/** The message of whatever was thrown, on one line. */
export const reasonOf = (err: unknown): string =>
  (err instanceof Error ? err.message : String(err)).split('\n')[0] ?? ''
