import { createHash } from 'node:crypto'

/** Random numbers in [0, 1). The same seed gives the same numbers. */
export function chanceOf(seed: number): () => number {
  let drawn = 0
  return () => createHash('sha256').update(`${seed}/${drawn++}`).digest().readUInt32BE() / 2 ** 32
}
