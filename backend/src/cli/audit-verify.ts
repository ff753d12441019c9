import { databaseUrlOf } from '../setup/app-options.ts'
import { EXIT_USAGE, isDatabaseHere, isUnderstood, runCommand } from './command.ts'
import { withDatabase } from '../db/with-database.ts'
import { auditJournal, createLogRepository, type AuditReport } from '../features/logs/index.ts'
import { say } from './terminal.ts'

await runCommand(async (environment) => {
  if (!isUnderstood(process.argv.slice(2), 0) || !isDatabaseHere(environment)) return EXIT_USAGE
  const report = await withDatabase(databaseUrlOf(environment), (database) =>
    auditJournal(createLogRepository(database)),
  )
  say(sentenceOf(report))
  return report.isWhole ? 0 : 1
})

function sentenceOf(found: AuditReport): string {
  if (found.isWhole) {
    const { count, lastId, lastHash } = found
    return `Journal intact\u00a0: ${count} ligne${count > 1 ? 's' : ''}, jusqu’à la n°\u00a0${lastId} · Journal whole: ${count} record${count > 1 ? 's' : ''}, up to ${lastId} (${lastHash})`
  }
  const reasons = {
    missing: ['ligne absente', 'record missing'],
    altered: ['ligne modifiée', 'record altered'],
    unlinked: ['ligne détachée de la précédente', 'record not linked to the one before'],
    'text-altered': ['texte modifié à côté de la ligne', 'text beside the record altered'],
    unsealed: ['ligne contraire au point de contrôle', 'record contrary to the checkpoint'],
  } as const
  const [fr, en] = reasons[found.reason]
  return `Chaîne rompue à la ligne n°\u00a0${found.brokenId}\u00a0: ${fr} · Chain broken at record ${found.brokenId}: ${en}`
}
