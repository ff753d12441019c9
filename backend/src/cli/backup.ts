import { resolve } from 'node:path'
import { databaseUrlOf } from '../setup/app-options.ts'
import { removeDraft, writeBackup, type BackupReport } from '../backup/write.ts'
import { EXIT_USAGE, EXIT_STOPPED, isDatabaseHere, onStop, runFileCommand } from './command.ts'

const USAGE =
  'npm run backup FICHIER\n' +
  '    Garde tout le site en un fichier (base, clés, photos, archives, certificats), même pendant que le serveur tourne.\n' +
  'npm run backup FILE\n' +
  '    Keeps all of the site in one file (database, keys, photos, archives, certificates), also while the server runs.\n' +
  'Ex.: npm run backup /mnt/usb/escale-2026-11-26.tar.gz'

await runFileCommand(USAGE, async (file, environment) => {
  if (!isDatabaseHere(environment)) return EXIT_USAGE
  onStop(() => {
    removeDraft(file)
    process.exit(EXIT_STOPPED)
  })
  const { ESCALE_DATA_DIR, ESCALE_BACKUP_DIR } = environment
  const report = await writeBackup({
    dataDir: resolve(ESCALE_DATA_DIR),
    databaseUrl: databaseUrlOf(environment),
    file,
    without: ESCALE_BACKUP_DIR === '' ? [] : [resolve(ESCALE_BACKUP_DIR)],
  })
  say(file, report)
  return 0
})

function say(written: string, { manifest, bytes, journal }: BackupReport): void {
  const megabytes = (bytes / 1024 / 1024).toFixed(1)
  const files = manifest.files.length
  const lines = [
    `${written}\u00a0: ${files} fichiers, ${megabytes.replace('.', ',')}\u00a0Mo, relus et vérifiés · ${files} files, ${megabytes} MB, read back and checked`,
  ]
  if (manifest.database === 'postgres') {
    lines.push(
      'Il y manque la base de données, qui est à PostgreSQL\u00a0: gardez-la aussi, avec pg_dump (docs/backup.md).',
      'It lacks the database, which is PostgreSQL’s: keep that too, by pg_dump (docs/backup.md).',
    )
  } else if (journal?.isWhole) {
    lines.push(`Journal intact\u00a0: ${journal.count} lignes · Journal whole: ${journal.count} records`)
  } else if (journal) {
    lines.push(
      `Attention\u00a0: le journal est rompu à la ligne ${journal.brokenId}\u202f; la sauvegarde le garde tel quel (npm run audit:verify).`,
      `Attention: the journal is broken at record ${journal.brokenId}; the backup keeps it as it is (npm run audit:verify).`,
    )
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}
