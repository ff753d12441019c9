import { jobNames, type JobName } from '@escale/protocol'
import { destination, pino } from 'pino'
import { appOptionsOf, openDataOf } from '../setup/app-options.ts'
import { createApp } from '../app.ts'
import { EXIT_USAGE, isUnderstood, runCommand } from './command.ts'
import { systemActor } from '../features/logs/index.ts'
import { complain, say } from './terminal.ts'

const words = process.argv.slice(2)
const name = words[0] ?? ''
if (!isUnderstood(words, 1)) process.exit(EXIT_USAGE)
if (!isJobName(name)) {
  const [french, english] =
    name === ''
      ? ['Donnez le nom d’une tâche', 'Give the name of a task']
      : [`Tâche inconnue\u00a0: «\u202f${name}\u202f»`, `Unknown task: “${name}”`]
  complain(
    `${french}. Choisissez parmi\u00a0: ${jobNames.join(', ')}\n` +
      `${english}. Choose from: ${jobNames.join(', ')}`,
  )
  process.exit(EXIT_USAGE)
}

await runCommand(async (environment) => {
  const log = pino({ level: 'error' }, destination({ dest: 2, sync: true }))
  // The same app as the server's, beside it and without listeners: each run is claimed in the database.
  const data = await openDataOf(environment)
  const app = await createApp(appOptionsOf(environment, data, log, nowhere))
  try {
    say(`${name}: ${await app.runJob(name, systemActor)}`)
    return 0
  } finally {
    await app.close()
  }
})

function nowhere(): never {
  throw new Error('nothing listens here')
}

function isJobName(text: string): text is JobName {
  return jobNames.some((job) => job === text)
}
