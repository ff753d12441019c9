import { describe, expect, it } from 'vitest'
import { textsIn } from './free-text.ts'
import { searchOf, type Person } from './person.ts'

const zoe: Person = {
  id: '5f0c7f5e-3d3a-4c0e-9a53-0d6c3a1e8b11',
  firstName: 'Zoé',
  lastName: 'O’Brien-Mûre',
  email: 'Zoe.OB@example.org',
  phone: '+33 6 12 34 56 78',
  birthDate: '1990-05-17',
}
const isNamed = (said: unknown, person: Partial<Person> = {}, isFirstNameUnique = false) => {
  const { candidates, isNamedIn } = searchOf({ ...zoe, ...person }, { isFirstNameUnique })
  const text = textsIn(said)
  const isFound = isNamedIn(text)
  // The first, coarse search in the database must find every text that the exact check would find.
  if (isFound) expect(candidates.some((candidate) => text.includes(candidate))).toBe(true)
  return isFound
}

describe('a person is named', () => {
  it.each([
    'Mme O’Brien-Mûre a oublié son sac',
    "zoe o'brien mure",
    "OBRIEN? non: O'BRIEN-MÛRE Zoé",
    'vu avec O‘Brien‑Mure, encore',
    'écrire à zoe.ob@EXAMPLE.org',
    'rappeler le 06.12.34.56.78 ce soir',
    'rappeler le 0612345678',
    'rappeler le +33 (0)6 12 34 56 78',
    'née le 17/05/1990',
    'dossier 5f0c7f5e-3d3a-4c0e-9a53-0d6c3a1e8b11',
  ])('in “%s”', (text) => {
    expect(isNamed({ reason: text })).toBe(true)
    expect(isNamed({ error: { cause: [text] } })).toBe(true)
  })

  it.each(['l’écran est noir', 'Zoé', 'O’Brien', 'murex', '06 12 34 56 79', ''])('not in “%s”', (text) => {
    expect(isNamed({ reason: text })).toBe(false)
  })

  it('by the first name alone if nobody else has it', () => {
    expect(isNamed({ reason: 'demander à Zoé' }, {}, true)).toBe(true)
    expect(isNamed({ reason: 'la zoéologie' }, {}, true)).toBe(false)
  })

  it('by a name of two letters only if it is a whole word', () => {
    expect(isNamed({ reason: 'le poste est noir' }, { lastName: 'Le' })).toBe(false)
    expect(isNamed({ reason: 'M. Le est parti' }, { lastName: 'Le' })).toBe(true)
    expect(isNamed({ reason: 'Zoé Le est partie' }, { lastName: 'Le' })).toBe(true)
  })

  it('by no text if the names have no letters', () => {
    expect(isNamed({ reason: 'panne - voir (?) [3]' }, { firstName: '?', lastName: '-' }, true)).toBe(false)
  })
})
