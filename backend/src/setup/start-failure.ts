import { sentencesOf } from '../cli/command.ts'
import { storageErrorOf } from '../db/storage-fault.ts'
import { AppError, SetupError } from '../errors.ts'

/** Why the server could not start, and what to do about it. */
export function explain(err: unknown): string {
  if (!(err instanceof Error)) return String(err)
  const { code, port, hostname } = err as NodeJS.ErrnoException & { port?: number; hostname?: string }
  if (code === 'EADDRINUSE') {
    return (
      `Le port ${port} est déjà pris\u00a0: arrêtez ce qui l’utilise, ou choisissez-en un autre (voir .env.example).\n` +
      `Port ${port} is already taken: stop what uses it, or choose another (see .env.example).`
    )
  }
  if (code === 'EADDRNOTAVAIL' || (code === 'ENOTFOUND' && hostname === process.env.ESCALE_HOST)) {
    return (
      `ESCALE_HOST n’est pas une adresse de cette machine (${err.message})\u00a0: donnez 0.0.0.0, ou l’une des siennes.\n` +
      `ESCALE_HOST is no address of this machine (${err.message}): give 0.0.0.0, or one of its own.`
    )
  }
  if (code === 'EACCES' && port !== undefined) {
    return (
      `Le port ${port} est réservé à l’administrateur de cette machine\u00a0: choisissez-en un au-dessus de 1023 (voir .env.example).\n` +
      `Port ${port} is reserved for this machine’s administrator: choose one above 1023 (see .env.example).`
    )
  }
  const isKnown = err instanceof SetupError || err instanceof AppError || storageErrorOf(err) !== undefined
  if (isKnown) return sentencesOf(err)
  return (
    `${sentencesOf(err)}\n` +
    'Escale n’a pas pu démarrer\u00a0: «\u202fnpm run doctor\u202f» cherche pourquoi et dit quoi faire.\n' +
    'Escale could not start: “npm run doctor” looks for the reason and says what to do.'
  )
}
