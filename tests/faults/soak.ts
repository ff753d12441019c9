import { leaveAlone } from './absence.ts'
import { chanceOf } from './chance.ts'
import { killUnderLoad } from './kill.ts'

const KILLS = 1_000
const ABSENCE_MINUTES = 60
const LEAST_ABSENCE_MINUTES = 4

const say = (line: string) => process.stdout.write(`${line}\n`)

async function kill(kills: number): Promise<boolean> {
  const seed = Date.now()
  say(`kill -9 under load, ${kills} times, seed ${seed}`)
  const report = await killUnderLoad(kills, chanceOf(seed), (done) => {
    if (done % 10 === 0) say(String(done))
  })
  const { acknowledged, answered, missing, twice, verified } = report
  for (const fault of missing) say(`missing: ${fault}`)
  for (const fault of twice) say(`twice: ${fault}`)
  say(
    `${acknowledged} messages acknowledged, ${answered} writes answered, ${missing.length} missing, ${twice.length} twice`,
  )
  say(verified)
  return missing.length + twice.length === 0
}

async function absence(minutes: number): Promise<boolean> {
  const { errorsMs, faults } = await leaveAlone(minutes, say)
  for (const fault of faults) say(fault)
  for (const [name, ms] of Object.entries(errorsMs)) say(`${name}: ${ms.toFixed(0)} ms from the truth`)
  return faults.length === 0
}

const SOAKS = {
  kill: { run: kill, least: 1, usual: KILLS },
  absence: { run: absence, least: LEAST_ABSENCE_MINUTES, usual: ABSENCE_MINUTES },
}

const [name = 'kill', wanted] = process.argv.slice(2)
const soak = Object.entries(SOAKS).find(([each]) => each === name)?.[1]
const count = Number(wanted ?? soak?.usual)
if (!soak || !Number.isInteger(count) || count < soak.least) {
  process.stderr.write(
    `npm run test:soak -- kill [how many times, 1 or more]\nnpm run test:soak -- absence [minutes without a server, ${LEAST_ABSENCE_MINUTES} or more]\n`,
  )
  process.exit(2)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
process.on('disconnect', () => process.exit(130))

process.exit((await soak.run(count)) ? 0 : 1)
