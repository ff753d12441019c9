import type { User, UserInput } from '@escale/protocol'
import { filledIn } from '../../composables/index.ts'

/** The values of a visitor's form: no field is missing, an empty one is an empty text. */
export type VisitorForm = Required<Omit<UserInput, 'sex'>> & { sex: NonNullable<UserInput['sex']> | '' }

export function visitorFormOf(user: Partial<User> = {}): VisitorForm {
  const { firstName = '', lastName = '', email = '', phone = '', birthDate = '', sex = '' } = user
  const { municipality = '', occupation = '', notes = '', consentGiven = false } = user
  return {
    ...{ firstName, lastName, email, phone, birthDate, sex },
    ...{ municipality, occupation, notes, consentGiven },
  }
}

/** What is sent: an empty field is left out, which clears it. */
export function visitorInputOf(form: VisitorForm): UserInput {
  const { sex, ...texts } = filledIn(form)
  return sex ? { ...texts, sex } : texts
}
