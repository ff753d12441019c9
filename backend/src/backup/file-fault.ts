import { storageFaultOf } from '../db/storage-fault.ts'
import { reasonOfFile } from '../setup/file-reasons.ts'

/** Why a file of a backup or the disk beneath it failed, as a part of a sentence; undefined for any other failure. */
export function fileFaultOf(err: unknown): ReturnType<typeof reasonOfFile> | undefined {
  // SQLite and the operating system each have a name of their own for a full disk.
  if (storageFaultOf(err) === 'full') return reasonOfFile({ code: 'ENOSPC' })
  const { code = '' } = err as NodeJS.ErrnoException
  return /^E[A-Z]+$/.test(code) ? reasonOfFile(err) : undefined
}
