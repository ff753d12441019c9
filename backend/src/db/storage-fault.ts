import { BaseError, ConnectionError } from 'sequelize'
import type { Bilingual } from '@escale/protocol'
import { AppError } from '../errors.ts'
import { faultOfCode, type StorageFault } from './fault-codes.ts'
import { isConnectionLost, isTemporary } from './retries.ts'

export type { StorageFault } from './fault-codes.ts'

/** Seconds until a retry is useful: people must repair most of these faults. */
const RETRY_AFTER_SECONDS = 5

const sentences: Record<StorageFault, Bilingual> = {
  full: {
    fr: 'Le disque du serveur est plein\u00a0: rien ne peut être enregistré. Libérez de la place\u202f; tout reprend alors tout seul.',
    en: 'The server’s disk is full: nothing can be stored. Make room; everything then goes on by itself.',
  },
  locked: {
    fr: 'Un autre programme tient la base de données\u00a0: rien ne peut être enregistré. Arrêtez-le\u202f; tout reprend alors tout seul.',
    en: 'Another program holds the database: nothing can be stored. Stop it; everything then goes on by itself.',
  },
  busy: {
    fr: 'Trop de choses changent en même temps dans la base de données\u00a0: rien n’a été enregistré. Réessayez dans un instant.',
    en: 'Too much changes in the database at the same time: nothing was stored. Try again in a moment.',
  },
  'read-only': {
    fr: 'La base de données est en lecture seule\u00a0: rien ne peut être enregistré. Donnez le dossier de données à l’utilisateur du serveur (chown -R), sur un disque où l’on peut écrire.',
    en: 'The database is read-only: nothing can be stored. Give the data folder to the server’s user (chown -R), on a disk that can be written.',
  },
  'out-of-reach': {
    fr: 'Le fichier de la base de données n’est plus à sa place ou ne s’ouvre pas. Remettez le dossier de données et ses droits\u202f; tout reprend alors tout seul.',
    en: 'The file of the database is not in its place any more or does not open. Put back the data folder and its rights; everything then goes on by itself.',
  },
  damaged: {
    fr: 'La base de données est abîmée. Arrêtez le serveur, gardez une copie du dossier de données, puis remettez la dernière sauvegarde (npm run restore).',
    en: 'The database is damaged. Stop the server, keep a copy of the data folder, then bring back the last backup (npm run restore).',
  },
  failing: {
    fr: 'Le disque du serveur ne répond pas comme il faut\u00a0: rien ne peut être enregistré. Vérifiez-le et sa place libre (npm run doctor).',
    en: 'The server’s disk does not answer as it should: nothing can be stored. Check it and its free space (npm run doctor).',
  },
  unreachable: {
    fr: 'PostgreSQL ne répond pas. Démarrez-le, ou vérifiez DATABASE_URL\u202f; tout reprend alors tout seul.',
    en: 'PostgreSQL does not answer. Start it, or check DATABASE_URL; everything then goes on by itself.',
  },
}

/** The storage fault; undefined for a failure of the query itself. */
export function storageFaultOf(err: unknown): StorageFault | undefined {
  const { code, message } = causeOf(err)
  const known = faultOfCode(code)
  if (known) return known
  // The tables are missing because the file was replaced.
  if (code === 'SQLITE_ERROR' && message.startsWith('SQLITE_ERROR: no such table')) return 'damaged'
  if (err instanceof ConnectionError || isConnectionLost(err)) return 'unreachable'
  return isTemporary(err) ? 'failing' : undefined
}

export function storageError(fault: StorageFault, cause?: unknown): AppError {
  return new AppError('storage-unavailable', {
    detail: sentences[fault],
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    cause,
  })
}

/** The failure as callers see it; undefined if it is not a storage fault. */
export function storageErrorOf(err: unknown): AppError | undefined {
  const fault = storageFaultOf(err)
  return fault && storageError(fault, err)
}

/** The driver's error inside Sequelize's. */
function causeOf(err: unknown): { code: string; message: string } {
  const beneath = err instanceof BaseError && 'original' in err ? err.original : err
  if (!(beneath instanceof Error)) return { code: '', message: '' }
  const { code, message } = beneath as NodeJS.ErrnoException
  return { code: code ?? '', message }
}
