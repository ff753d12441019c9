import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { dropUnfinishedRestore, restoreBackup, type RestoreReport } from '../backup/restore.ts'
import { EXIT_STOPPED, onStop, runFileCommand } from './command.ts'
import type { Environment } from '../setup/environment.ts'
import { makeFolder } from '../setup/folder.ts'
import { SetupError } from '../errors.ts'
import { lockFolder, runsAlready } from '../setup/site-lock.ts'

const USAGE =
  'npm run restore FICHIER\n' +
  '    Remet une sauvegarde à sa place, serveur arrêté\u202f; ce qui s’y trouvait est gardé sous un nom daté.\n' +
  'npm run restore FILE\n' +
  '    Brings a backup back, with the server stopped; what was there is kept under a dated name.'

await runFileCommand(USAGE, async (file, environment) => {
  requireFile(file)
  requireOwnDatabase(environment)
  const dataDir = resolve(environment.ESCALE_DATA_DIR)
  makeFolder(dataDir)
  const lock = await lockFolder(dataDir, 'alone', 0)
  if (!lock) throw runsAlready(dataDir)
  onStop(() => {
    dropUnfinishedRestore(dataDir)
    process.exit(EXIT_STOPPED)
  })
  try {
    say(dataDir, await restoreBackup(dataDir, file, environment.DATABASE_URL !== ''))
    return 0
  } finally {
    await lock.release()
  }
})

function requireFile(path: string): void {
  if (existsSync(path)) return
  throw new SetupError(
    `${path} n’existe pas\u00a0: vérifiez le nom de la sauvegarde.`,
    `${path} does not exist: check the name of the backup.`,
  )
}

function requireOwnDatabase({ DATABASE_URL }: Environment): void {
  if (!DATABASE_URL.startsWith('sqlite:')) return
  throw new SetupError(
    'DATABASE_URL désigne un fichier SQLite hors du dossier de données\u00a0: retirez DATABASE_URL, puis restaurez.',
    'DATABASE_URL names a SQLite file outside the data folder: remove DATABASE_URL, then restore.',
  )
}

function say(dataDir: string, { manifest, kept }: RestoreReport): void {
  const { createdAt, release, files } = manifest
  const lines = [
    `${dataDir}\u00a0: ${files.length} fichiers restaurés, sauvegardés le ${createdAt} par Escale ${release} · ${files.length} files restored, kept on ${createdAt} by Escale ${release}`,
    ...(kept === undefined ? [] : [`Ce qui s’y trouvait est dans ${kept} · What was there is in ${kept}`]),
    ...(manifest.database === 'postgres'
      ? [
          'Restaurez aussi la base PostgreSQL, avec pg_restore (docs/backup.md), avant de démarrer.',
          'Restore the PostgreSQL database too, by pg_restore (docs/backup.md), before you start.',
        ]
      : []),
    'Démarrez le serveur\u00a0: npm start · Start the server: npm start',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
