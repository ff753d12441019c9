/** Why a file or a folder cannot be used, as a part of a sentence. */
export function reasonOfFile(err: unknown): { french: string; english: string } {
  const { code = '', message } = err as NodeJS.ErrnoException
  const [french, english] = REASONS[code] ?? [message, message]
  return { french, english }
}

const REASONS: Partial<Record<string, [french: string, english: string]>> = {
  EACCES: ['cet utilisateur n’en a pas le droit', 'this user has no right to it'],
  EPERM: ['cet utilisateur n’en a pas le droit', 'this user has no right to it'],
  EROFS: ['le disque est en lecture seule', 'the disk is read-only'],
  ENOSPC: ['il n’y a plus de place sur le disque', 'there is no room left on the disk'],
  EDQUOT: ['il n’y a plus de place sur le disque', 'there is no room left on the disk'],
  ENOTDIR: ['un fichier est là où il faut un dossier', 'a file stands where a folder is needed'],
  EEXIST: ['un fichier est là où il faut un dossier', 'a file stands where a folder is needed'],
  EISDIR: ['un dossier est là où il faut un fichier', 'a folder stands where a file is needed'],
  ENOENT: ['il n’existe pas et ne peut y être créé', 'it does not exist and cannot be made there'],
  ENAMETOOLONG: ['son nom est trop long', 'its name is too long'],
  ELOOP: ['ses liens tournent en rond', 'its links go in a circle'],
  EIO: ['le disque ne répond pas comme il faut', 'the disk does not answer as it should'],
}
