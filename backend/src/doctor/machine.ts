import { execFile } from 'node:child_process'
import { constants, existsSync, mkdtempSync, readdirSync, rmdirSync, statSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { RENEW_BEFORE_DAYS, daysLeft, type CertificateFolder } from '../certificates/folder.ts'
import { bad, good, isAllowed, reasonOf, type Finding } from './finding.ts'

const MIN_NODE = 24
const MIN_MEMORY_MB = 256
const MIN_DISK_MB = 1_024
const MB = 1024 * 1024
/** An earlier time means that the clock was reset, for want of a battery. */
const EARLIEST_MS = Date.parse('2026-01-01')
/** How far the clocks of two servers may differ. */
const CLOCK_SLACK_MS = 60_000

export function findNode(version = process.versions.node): Finding {
  if (Number(version.split('.')[0]) >= MIN_NODE) return good(`Node ${version}`, `Node ${version}`)
  return bad(
    `Node ${version} est trop ancien\u00a0: lancez par «\u202fnpm run doctor\u202f», qui apporte le sien.`,
    `Node ${version} is too old: run by “npm run doctor”, which brings its own.`,
  )
}

export function findMemory(availableBytes = process.availableMemory()): Finding {
  const megabytes = Math.floor(availableBytes / MB)
  if (megabytes >= MIN_MEMORY_MB)
    return good(`Mémoire\u00a0: ${megabytes}\u00a0Mo libres`, `Memory: ${megabytes} MB free`)
  return bad(
    `Il ne reste que ${megabytes}\u00a0Mo de mémoire\u00a0: fermez d’autres programmes ou ajoutez-en (${MIN_MEMORY_MB}\u00a0Mo au moins).`,
    `Only ${megabytes} MB of memory are left: close other programs or add some (at least ${MIN_MEMORY_MB} MB).`,
  )
}

/** Checks the data folder, and whether anything more can be examined in it. */
export function findFolder(dataDir: string): Finding & { isUsable: boolean } {
  const obstacle = obstacleTo(dataDir)
  if (obstacle) return { ...obstacle, isUsable: false }
  if (existsSync(dataDir)) return { ...findSecrets(dataDir), isUsable: true }
  const none = good(
    `Dossier ${dataDir}\u00a0: pas encore créé, le premier démarrage le fera`,
    `Folder ${dataDir}: not there yet, the first start makes it`,
  )
  return { ...none, isUsable: true }
}

/** Why the data folder cannot be read and written, or created. */
function obstacleTo(dataDir: string): Finding | undefined {
  if (!existsSync(dataDir)) {
    if (canBeMade(dataDir)) return undefined
    return bad(
      `Le dossier ${dataDir} ne peut être créé\u00a0: corrigez ESCALE_DATA_DIR ou les droits.`,
      `The folder ${dataDir} cannot be made: correct ESCALE_DATA_DIR or the rights.`,
    )
  }
  if (!statSync(dataDir).isDirectory())
    return bad(
      `${dataDir} n’est pas un dossier\u00a0: corrigez ESCALE_DATA_DIR.`,
      `${dataDir} is not a folder: correct ESCALE_DATA_DIR.`,
    )
  if (isAllowed(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)) return undefined
  return bad(
    `Le dossier ${dataDir} ne peut être écrit\u00a0: donnez-le à l’utilisateur du serveur (chown -R).`,
    `The folder ${dataDir} cannot be written: give it to the server’s user (chown -R).`,
  )
}

function findSecrets(dataDir: string): Finding {
  const folders = process.platform === 'win32' ? [] : ['keys', 'certificates']
  const [open] = folders.flatMap((name) => openFiles(join(dataDir, name)))
  if (open === undefined) return good(`Dossier ${dataDir}`, `Folder ${dataDir}`)
  return bad(
    `D’autres utilisateurs peuvent lire ${open}\u00a0: chmod go= ${open}`,
    `Other users can read ${open}: chmod go= ${open}`,
  )
}

/** Creates a folder in the nearest existing one and removes it again: rights alone do not tell, for instance below /proc. */
function canBeMade(dataDir: string): boolean {
  let above = dirname(dataDir)
  while (!existsSync(above)) above = dirname(above)
  try {
    rmdirSync(mkdtempSync(join(above, '.escale-doctor-')))
    return true
  } catch {
    return false
  }
}

/** Secrets that other users can read; none when the folder itself is closed to them. */
function openFiles(folder: string): string[] {
  if (!existsSync(folder) || (statSync(folder).mode & 0o077) === 0) return []
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => !path.endsWith('ca.pem') && (statSync(path).mode & 0o077) !== 0)
}

export function findDisk(dataDir: string, minimumMb = MIN_DISK_MB): Finding {
  const { bavail, bsize } = statfsSync(existsSync(dataDir) ? dataDir : '.')
  const megabytes = Math.floor((bavail * bsize) / MB)
  if (megabytes >= minimumMb)
    return good(`Disque\u00a0: ${megabytes}\u00a0Mo libres`, `Disk: ${megabytes} MB free`)
  return bad(
    `Il ne reste que ${megabytes}\u00a0Mo sur le disque de ${dataDir}\u00a0: libérez de la place (${minimumMb}\u00a0Mo au moins).`,
    `Only ${megabytes} MB are left on the disk of ${dataDir}: make room (at least ${minimumMb} MB).`,
  )
}

/** @param lastRecordMs instant of the journal's newest record */
export async function findClock(nowMs: number, lastRecordMs: number | undefined): Promise<Finding> {
  const shown = new Date(nowMs).toISOString()
  const setIt = ['réglez-la (timedatectl set-ntp true).', 'set it (timedatectl set-ntp true).'] as const
  if (nowMs < EARLIEST_MS)
    return bad(`L’horloge indique ${shown}\u00a0: ${setIt[0]}`, `The clock says ${shown}: ${setIt[1]}`)
  if (lastRecordMs !== undefined && nowMs < lastRecordMs - CLOCK_SLACK_MS) {
    const last = new Date(lastRecordMs).toISOString()
    return bad(
      `L’horloge (${shown}) est en retard sur la dernière ligne du journal (${last})\u00a0: ${setIt[0]}`,
      `The clock (${shown}) is behind the journal’s newest record (${last}): ${setIt[1]}`,
    )
  }
  const asked = ['show', '-p', 'NTPSynchronized', '--value']
  // Without systemd, nobody knows.
  const { stdout } = await promisify(execFile)('timedatectl', asked).catch(() => ({ stdout: '' }))
  if (stdout.trim() === 'no')
    return bad(
      `L’horloge n’est pas synchronisée\u00a0: ${setIt[0]}`,
      `The clock is not synchronised: ${setIt[1]}`,
    )
  return good(`Horloge\u00a0: ${shown}`, `Clock: ${shown}`)
}

export function findCertificate(folder: CertificateFolder, nowMs: number): Finding {
  const renew = folder.isSiteOwn() ? 'npm run cert -- --cert … --key …' : 'npm run cert'
  try {
    const certificate = folder.read()
    if (!certificate) {
      return good('Certificat\u00a0: le premier démarrage le fera', 'Certificate: the first start makes it')
    }
    const days = daysLeft(certificate.leaf, nowMs)
    if (days < 0)
      return bad(
        `Le certificat a pris fin\u00a0: renouvelez-le (${renew}).`,
        `The certificate has ended: renew it (${renew}).`,
      )
    if (days < RENEW_BEFORE_DAYS) {
      return bad(
        `Le certificat prend fin dans ${days}\u00a0jours\u00a0: renouvelez-le (${renew}).`,
        `The certificate ends in ${days} days: renew it (${renew}).`,
      )
    }
    const missing = folder.missingNames(certificate)
    if (missing.length > 0) {
      const names = missing.join(', ')
      return bad(
        `Le certificat ne vaut pas pour ${names}\u00a0: renouvelez-le (${renew}).`,
        `The certificate is not good for ${names}: renew it (${renew}).`,
      )
    }
    return good(`Certificat\u00a0: encore ${days}\u00a0jours`, `Certificate: ${days} more days`)
  } catch (err) {
    return bad(
      `Le certificat ne peut être lu (${reasonOf(err)})\u00a0: refaites-le (${renew}).`,
      `The certificate cannot be read (${reasonOf(err)}): make it anew (${renew}).`,
    )
  }
}
