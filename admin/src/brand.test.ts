import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const markOf = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

it('the desk and the station show one mark', () => {
  expect(markOf('../public/escale.svg')).toBe(markOf('../../agent/screen/public/icon.svg'))
})
