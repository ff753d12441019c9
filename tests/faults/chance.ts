import { createHash } from 'node:crypto'

/** Numbers from 0 to 1, exclusive of 1, the same for the same seed. */
export function chanceOf(seed: number): () => number {
  let drawn = 0
  return () => createHash('sha256').update(`${seed}/${drawn++}`).digest().readUInt32BE() / 2 ** 32
}
