import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { failStorage, mountSmallDisk, storageFaults } from './storage.ts'

const ROUNDS = 5

test.for(storageFaults)(
  `every confirmed write is in the database after the storage failed ${ROUNDS} times: %s`,
  { timeout: 600_000 },
  async (kind, { skip }) => {
    const disk = kind === 'full' ? await mountSmallDisk() : undefined
    if (kind === 'full' && !disk) skip('needs a mount of its own, which root alone may make')
    const folder = disk?.folder ?? (await mkdtemp(join(tmpdir(), 'escale-storage-')))
    try {
      const { missing, wrong, refused, answered, acknowledged } = await failStorage(kind, ROUNDS, folder)
      expect({ missing, wrong }).toEqual({ missing: [], wrong: [] })
      expect(refused).toBeGreaterThanOrEqual(ROUNDS)
      process.stdout.write(
        `${kind}, ${ROUNDS} times: ${answered} writes answered, ${acknowledged} events acknowledged, ${refused} refused, none lost\n`,
      )
    } finally {
      await (disk ? disk.unmount() : rm(folder, { recursive: true, force: true }))
    }
  },
)
