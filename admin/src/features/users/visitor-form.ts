import type { User, UserInput } from '@escale/protocol'

/** Text fields of the form, in the order they are shown; the first two are required. */
export const visitorTexts = [
  'firstName',
  'lastName',
  'email',
  'phone',
  'birthDate',
  'municipality',
  'occupation',
  'notes',
] as const
export type VisitorText = (typeof visitorTexts)[number]

export interface VisitorForm {
  texts: Record<VisitorText, string>
  sex: NonNullable<UserInput['sex']> | ''
  consentGiven: boolean
}

export function visitorFormOf(user: User | undefined): VisitorForm {
  const texts = Object.fromEntries(visitorTexts.map((name) => [name, user?.[name] ?? '']))
  return {
    texts: texts as Record<VisitorText, string>,
    sex: user?.sex ?? '',
    consentGiven: user?.consentGiven ?? false,
  }
}

/** What is sent: an empty optional field is left out, which clears it. */
export function visitorInputOf(form: VisitorForm): UserInput {
  const filled = visitorTexts
    .map((name) => [name, form.texts[name].trim()] as const)
    .filter(([name, text]) => text !== '' || name === 'firstName' || name === 'lastName')
  return {
    ...(Object.fromEntries(filled) as Pick<UserInput, 'firstName' | 'lastName'>),
    ...(form.sex === '' ? {} : { sex: form.sex }),
    consentGiven: form.consentGiven,
  }
}
