import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pino } from 'pino'
import { openDatabase } from './db/database.ts'
import { readEnvironment } from './environment.ts'
import { auditJournal, type AuditReport } from './features/logs/audit.ts'
import { createLogRepository } from './features/logs/repository.ts'

if (existsSync('.env')) process.loadEnvFile('.env')
const environment = readEnvironment(process.env)
const file = resolve(environment.ESCALE_DATA_DIR, 'escale.sqlite')

if (!environment.DATABASE_URL && !existsSync(file)) {
  process.stderr.write(`Aucune base de données ici\u00a0: ${file} · No database here: ${file}\n`)
  process.exit(2)
}
const database = await openDatabase(environment.DATABASE_URL || `sqlite:${file}`, pino({ level: 'silent' }))
const report = await auditJournal(createLogRepository(database))
await database.close()
process.stdout.write(`${sentenceOf(report)}\n`)
process.exitCode = report.isWhole ? 0 : 1

function sentenceOf(found: AuditReport): string {
  if (found.isWhole) {
    const { count, lastId, lastHash } = found
    return `Journal intact\u00a0: ${count} ligne${count > 1 ? 's' : ''}, jusqu’à la n°\u00a0${lastId} · Journal whole: ${count} record${count > 1 ? 's' : ''}, up to ${lastId} (${lastHash})`
  }
  const reasons = {
    missing: ['ligne absente', 'record missing'],
    altered: ['ligne modifiée', 'record altered'],
    unlinked: ['ligne détachée de la précédente', 'record not linked to the one before'],
    unsealed: ['ligne contraire au point de contrôle', 'record contrary to the checkpoint'],
  } as const
  const [fr, en] = reasons[found.reason]
  return `Chaîne rompue à la ligne n°\u00a0${found.brokenId}\u00a0: ${fr} · Chain broken at record ${found.brokenId}: ${en}`
}
