import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DAY_MS } from '@escale/protocol'
import { LAST_BACKUP } from '../backup/folder-contents.ts'
import type { Environment } from '../setup/environment.ts'
import { bad, good, type Finding } from './finding.ts'

/** One missed night is no fault. */
const NIGHTLY_LIMIT_DAYS = 2
const BY_HAND_LIMIT_DAYS = 30

type Settings = Pick<Environment, 'ESCALE_BACKUP_DIR'>

/** Checks that the last backup is recent enough and still there. */
export function findBackup(dataDir: string, { ESCALE_BACKUP_DIR: dir }: Settings, nowMs: number): Finding {
  if (dir !== '' && !existsSync(dir))
    return bad(
      `Le dossier des sauvegardes n’existe pas\u00a0: ${dir}. Créez-le, ou branchez son disque (ESCALE_BACKUP_DIR).`,
      `The folder of backups does not exist: ${dir}. Make it, or connect its disk (ESCALE_BACKUP_DIR).`,
    )
  const limitDays = dir === '' ? BY_HAND_LIMIT_DAYS : NIGHTLY_LIMIT_DAYS
  const last = lastIn(dataDir)
  if (!last) {
    const siteDays = daysSince(firstStartMs(dataDir, nowMs), nowMs)
    const [french, english] = ['Aucune sauvegarde encore', 'No backup yet']
    if (siteDays <= limitDays) return good(french, english)
    return bad(
      `${french}\u00a0: npm run backup FICHIER, ou ESCALE_BACKUP_DIR pour une chaque nuit (docs/backup.md).`,
      `${english}: npm run backup FILE, or ESCALE_BACKUP_DIR for one each night (docs/backup.md).`,
    )
  }
  const days = daysSince(Date.parse(last.at), nowMs)
  if (!existsSync(last.file) && dir !== '')
    return bad(
      `La dernière sauvegarde n’est plus là (${last.file})\u00a0: faites-en une autre, npm run backup FICHIER.`,
      `The last backup is gone (${last.file}): make another, npm run backup FILE.`,
    )
  if (days <= limitDays)
    return good(
      `Dernière sauvegarde\u00a0: il y a ${days}\u00a0jour${days > 1 ? 's' : ''} (${last.file})`,
      `Last backup: ${days} day${days === 1 ? '' : 's'} ago (${last.file})`,
    )
  return bad(
    `La dernière sauvegarde a ${days}\u00a0jours\u00a0: npm run backup FICHIER${dir === '' ? '' : ', et lisez dans le journal pourquoi celle de la nuit manque (npm run job backup)'}.`,
    `The last backup is ${days} days old: npm run backup FILE${dir === '' ? '' : ', and read in the journal why that of the night is missing (npm run job backup)'}.`,
  )
}

function lastIn(dataDir: string): { at: string; file: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, LAST_BACKUP), 'utf8')) as { at: string; file: string }
  } catch {
    // A missing or incomplete file counts as no backup.
    return undefined
  }
}

/** The key's file is written once, at the first start. */
const firstStartMs = (dataDir: string, nowMs: number) =>
  statSync(join(dataDir, 'keys', 'code'), { throwIfNoEntry: false })?.mtimeMs ?? nowMs

const daysSince = (fromMs: number, nowMs: number) => Math.max(0, Math.floor((nowMs - fromMs) / DAY_MS))
