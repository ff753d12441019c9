import { MIN_PASSWORD_LENGTH, type Bilingual } from '@escale/protocol'
import { foldText } from '../../domain/search-text.ts'
import { AppError } from '../../errors.ts'
import { askProcess } from '../../process-answer.ts'

export interface StrengthRequest {
  passwords: string[]
  /** Words that somebody who guesses would try first. */
  words: string[]
}

/** What zxcvbn calls very unguessable: over 10^10 guesses. */
const NEEDED_SCORE = 4
/** Longer passwords take longer to judge, and are strong enough by their first characters. */
const JUDGED_CHARACTERS = 100
/** A shorter username is part of too many words. */
const SHORTEST_NAME = 3
/** Words that fit every site with this software. */
const siteWords = ['escale', 'mediatheque', 'bibliotheque', 'cybercafe', 'accueil', 'operateur', 'visiteur']
/** Removed from a password before the rest of it is judged: they add nothing at this site. */
const ownWords = ['escale']

/**
 * Compares a password with common ones, and with words, names, dates and keyboard patterns of French and English.
 * @param pointer the field of the body that holds it
 * @throws AppError `weak-password` saying what is wrong with it
 */
export async function requireStrongPassword(
  password: string,
  username: string,
  pointer = '/password',
): Promise<void> {
  const weakness = await weaknessOf(password, username)
  if (weakness) throw new AppError('weak-password', { errors: [{ pointer, message: weakness }] })
}

async function weaknessOf(password: string, username: string): Promise<Bilingual | undefined> {
  if (password.normalize('NFC').length < MIN_PASSWORD_LENGTH) {
    return {
      fr: `Il faut au moins ${MIN_PASSWORD_LENGTH} caractères.`,
      en: `At least ${MIN_PASSWORD_LENGTH} characters are needed.`,
    }
  }
  const name = foldText(username)
  const judged = password.slice(0, JUDGED_CHARACTERS)
  const folded = foldText(judged)
  const rest = [name, ...ownWords]
    .filter((word) => word.length >= SHORTEST_NAME)
    .reduce((text, word) => text.replaceAll(word, ''), folded)
  const request = { passwords: [judged, folded, rest], words: [name, ...siteWords] }
  if ((await scoreInProcess(request)) >= NEEDED_SCORE) return undefined
  return {
    fr: 'Ce mot de passe se devine trop vite\u00a0: prenez plutôt quatre mots sans rapport entre eux.',
    en: 'This password is guessed too quickly: rather take four words that have nothing to do with each other.',
  }
}

/**
 * In a process of its own: the word lists take 100 MB that are not needed afterwards, and judging would keep other
 * requests waiting.
 */
const scoreInProcess = (request: StrengthRequest) =>
  askProcess<number>(
    new URL('password-strength-process.ts', import.meta.url),
    request,
    'a password cannot be judged',
  )
