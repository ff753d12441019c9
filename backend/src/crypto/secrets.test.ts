import { expect, it } from 'vitest'
import { drawSecret } from './secrets.ts'

it('generates no secret that a command line would read as an option', () => {
  const drawn = Array.from({ length: 2_000 }, drawSecret)
  expect(drawn.filter((secret) => !/^\w[\w-]{42}$/.test(secret))).toEqual([])
})
