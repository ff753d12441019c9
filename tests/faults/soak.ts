import { chanceOf } from './chance.ts'
import { killUnderLoad } from './kill.ts'

const KILLS = 1_000

const kills = Number(process.argv[2] ?? KILLS)
if (!Number.isInteger(kills) || kills < 1) {
  process.stderr.write('npm run test:soak -- [how many kills, 1 or more]\n')
  process.exit(2)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
process.on('disconnect', () => process.exit(130))

const seed = Date.now()
process.stdout.write(`kill -9 under load, ${kills} times, seed ${seed}\n`)
const report = await killUnderLoad(kills, chanceOf(seed), (kill) => {
  if (kill % 10 === 0) process.stdout.write(`${kill}\n`)
})
const { acknowledged, answered, missing, twice, verified } = report
for (const fault of missing) process.stdout.write(`missing: ${fault}\n`)
for (const fault of twice) process.stdout.write(`twice: ${fault}\n`)
process.stdout.write(
  `${acknowledged} messages acknowledged, ${answered} writes answered, ${missing.length} missing, ${twice.length} twice\n${verified}\n`,
)
process.exit(missing.length + twice.length === 0 ? 0 : 1)
