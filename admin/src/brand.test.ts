import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const markOf = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

it('the admin and the station’s screen show the same logo', () => {
  expect(markOf('../public/escale.svg')).toBe(markOf('../../agent/screen/public/icon.svg'))
})
