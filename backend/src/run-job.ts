import { existsSync } from 'node:fs'
import { jobNames, type JobName } from '@escale/protocol'
import { destination, pino } from 'pino'
import { appOptionsOf } from './app-options.ts'
import { createApp } from './app.ts'
import { readEnvironment } from './environment.ts'
import { systemActor } from './features/logs/index.ts'

const name = process.argv[2] ?? ''
if (!isJobName(name)) {
  process.stderr.write(
    `Tâche inconnue\u00a0: «\u202f${name}\u202f». Choisissez parmi\u00a0: ${jobNames.join(', ')}\n` +
      `Unknown task: “${name}”. Choose from: ${jobNames.join(', ')}\n`,
  )
  process.exit(2)
}

if (existsSync('.env')) process.loadEnvFile('.env')
const log = pino({ level: 'error' }, destination({ dest: 2, sync: true }))
// The same app as the server's, beside it and without listeners: each run is claimed in the database.
const app = await createApp(appOptionsOf(readEnvironment(process.env), log, nowhere))
try {
  process.stdout.write(`${name}: ${await app.runJob(name, systemActor)}\n`)
} catch {
  // Logged where it failed.
  process.exitCode = 1
} finally {
  await app.close()
}

function nowhere(): never {
  throw new Error('nothing listens here')
}

function isJobName(text: string): text is JobName {
  return jobNames.some((job) => job === text)
}
