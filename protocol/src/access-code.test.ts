import { describe, expect, it } from 'vitest'
import { formatAccessCode, isAccessCodeShape, normaliseAccessCode } from './access-code.ts'
import { typedForms } from './testing/typed-codes.ts'

describe('an access code', () => {
  it.each(typedForms)('is recognised %s', (_, typed) => {
    for (const code of ['ABCD-2345', 'ZYXW-9876'])
      expect(normaliseAccessCode(typed(code))).toBe(code.replace('-', ''))
  })

  it.each([
    ['a letter less', 'ABCD-234'],
    ['a letter more', 'ABCD-2345X'],
    ['a zero', 'ABCD-2340'],
    ['letters of another script that look alike', 'АВСD-2345'],
    ['nothing', ''],
    ['nothing that counts', ' -–\u200b\ufeff_ '],
  ])('is not recognised with %s', (_, typed) => {
    expect(isAccessCodeShape(typed)).toBe(false)
  })

  it('is shown in two groups', () => {
    expect(formatAccessCode(normaliseAccessCode('abcd2345'))).toBe('ABCD-2345')
  })
})
