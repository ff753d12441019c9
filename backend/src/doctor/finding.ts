import { accessSync } from 'node:fs'

/** The result of one check; for a fault, the text says what to do. */
export interface Finding {
  isGood: boolean
  french: string
  english: string
}

export const good = (french: string, english: string): Finding => ({ isGood: true, french, english })
export const bad = (french: string, english: string): Finding => ({ isGood: false, french, english })

/** The first line of an error's message. */
export const reasonOf = (err: unknown): string =>
  (err instanceof Error ? err.message : String(err)).split('\n')[0] ?? ''

/** Whether this user may use a file or folder like this. @param mode constants of node:fs */
export function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}
