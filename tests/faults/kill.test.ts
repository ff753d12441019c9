import { expect, test } from 'vitest'
import { killUnderLoad } from './kill.ts'
import { chanceOf } from './chance.ts'

const KILLS = 50

test(`after ${KILLS} times kill -9 under load, every confirmed write is in the database once`, async () => {
  const { acknowledged, answered, missing, twice, verified } = await killUnderLoad(KILLS, chanceOf(20260101))
  expect({ missing, twice }).toEqual({ missing: [], twice: [] })
  expect(verified).toMatch(/Journal whole/)
  // The test is only valid if the load was high.
  expect(acknowledged).toBeGreaterThan(10 * KILLS)
  expect(answered).toBeGreaterThan(KILLS / 2)
  process.stdout.write(
    `${KILLS} kills: ${acknowledged} messages acknowledged, ${answered} writes answered, none lost\n`,
  )
}, 1_200_000)
