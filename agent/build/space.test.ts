import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { BuildError } from './build-error.ts'
import { requireSpace } from './space.ts'

it('a disk that is too full is reported in both languages before anything is written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'escale-space-'))
  await requireSpace(folder, 1)
  const refused = requireSpace(folder, 1e12)
  await expect(refused).rejects.toBeInstanceOf(BuildError)
  await expect(refused).rejects.toThrow(/pas assez de place[^]*Libérez-en[^]*not enough room[^]*Free some/)
  await rm(folder, { recursive: true })
})
