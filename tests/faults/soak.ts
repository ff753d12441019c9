import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runWithoutServer } from './absence.ts'
import { chanceOf } from './chance.ts'
import { killUnderLoad } from './kill.ts'
import { failStorage, mountSmallDisk, storageFaults } from './storage.ts'

const KILLS = 1_000
const STORAGE_ROUNDS = 50
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
  const { errorsMs, faults } = await runWithoutServer(minutes, say)
  for (const fault of faults) say(fault)
  for (const [name, ms] of Object.entries(errorsMs)) say(`${name}: ${ms.toFixed(0)} ms late`)
  return faults.length === 0
}

async function storage(rounds: number): Promise<boolean> {
  let isGood = true
  for (const kind of storageFaults) {
    const disk = kind === 'full' ? await mountSmallDisk() : undefined
    if (kind === 'full' && !disk) {
      say('full: left out, only root may mount a small disk')
      continue
    }
    const place = disk?.folder ?? mkdtempSync(join(tmpdir(), 'escale-storage-'))
    const { missing, wrong, refused, answered, acknowledged } = await failStorage(kind, rounds, place)
    for (const fault of [...missing.map((one) => `missing: ${one}`), ...wrong]) say(fault)
    say(
      `${kind}, ${rounds} times: ${answered} writes answered, ${acknowledged} events acknowledged, ${refused} refused, ${missing.length} missing`,
    )
    isGood &&= missing.length + wrong.length === 0
    if (disk) await disk.unmount()
    else rmSync(place, { recursive: true, force: true })
  }
  return isGood
}

const SOAKS = {
  kill: { run: kill, least: 1, usual: KILLS },
  storage: { run: storage, least: 1, usual: STORAGE_ROUNDS },
  absence: { run: absence, least: LEAST_ABSENCE_MINUTES, usual: ABSENCE_MINUTES },
}

const [name = 'kill', wanted] = process.argv.slice(2)
const soak = Object.entries(SOAKS).find(([each]) => each === name)?.[1]
const count = Number(wanted ?? soak?.usual)
if (!soak || !Number.isInteger(count) || count < soak.least) {
  process.stderr.write(
    `npm run test:soak -- kill [how many times, 1 or more]\nnpm run test:soak -- storage [how many times each, 1 or more]\nnpm run test:soak -- absence [minutes without a server, ${LEAST_ABSENCE_MINUTES} or more]\n`,
  )
  process.exit(2)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
process.on('disconnect', () => process.exit(130))

process.exit((await soak.run(count)) ? 0 : 1)
