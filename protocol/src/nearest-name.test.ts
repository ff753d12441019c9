import { expect, it } from 'vitest'
import { nearestName } from './nearest-name.ts'

const known = ['enrolmentKey', 'enrolmentKeyFile', 'screenPort', 'server', 'noKiosk', 'dataDir']

it.each([
  ['enrollmentKey', 'enrolmentKey'],
  ['enrolment-key', 'enrolmentKey'],
  ['ENROLMENT_KEY_FILE', 'enrolmentKeyFile'],
  ['sever', 'server'],
  ['nokiosk', 'noKiosk'],
  ['screnPort', 'screenPort'],
  ['colour', undefined],
  ['', undefined],
])('suggests for %j the name %j', (given, meant) => {
  expect(nearestName(given, known)).toBe(meant)
})
