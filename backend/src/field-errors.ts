import { pointerTokenOf, textFormats, type Bilingual } from '@escale/protocol'
import { AppError, type FieldError } from './errors.ts'

/** One failure of a schema, in the terms of Ajv. */
export interface SchemaFailure {
  keyword: string
  /** JSON pointer to the invalid value. */
  instancePath: string
  params: Record<string, unknown>
}

interface Params {
  /** The value of `type`. */
  type?: unknown
  /** The values of `enum`. */
  allowedValues?: unknown
  /** The name of the format. */
  format?: string
  /** The limit of a length or a number. */
  limit?: number
}

const typeNames: Record<string, Bilingual> = {
  string: { fr: 'un texte', en: 'a text' },
  number: { fr: 'un nombre', en: 'a number' },
  integer: { fr: 'un nombre entier', en: 'a whole number' },
  boolean: { fr: 'vrai ou faux', en: 'true or false' },
  object: { fr: 'un objet', en: 'an object' },
  array: { fr: 'une liste', en: 'a list' },
}

const doesNotFit: Bilingual = { fr: 'Cette valeur n’est pas valable.', en: 'This value is not valid.' }

const formatMessages: Record<string, Bilingual> = {
  ...Object.fromEntries(Object.entries(textFormats).map(([name, { message }]) => [name, message])),
  date: {
    fr: 'Écrivez un jour du calendrier, par exemple 1994-05-17.',
    en: 'Write a day of the calendar, for example 1994-05-17.',
  },
  email: {
    fr: 'Écrivez une adresse électronique complète, par exemple prenom.nom@exemple.fr.',
    en: 'Write a complete e-mail address, for example first.last@example.org.',
  },
}

/** The message for a field, by the keyword of JSON Schema that failed. */
const requirements: Record<string, (params: Params) => Bilingual> = {
  required: () => ({ fr: 'Ce champ est obligatoire.', en: 'This field is required.' }),
  additionalProperties: () => ({ fr: 'Ce champ n’existe pas.', en: 'This field does not exist.' }),
  type: ({ type }) => {
    const name = typeNames[String(type)] ?? { fr: String(type), en: String(type) }
    return { fr: `Type attendu\u00a0: ${name.fr}.`, en: `Expected type: ${name.en}.` }
  },
  enum: ({ allowedValues }) => {
    const values = Array.isArray(allowedValues) ? allowedValues.join(', ') : ''
    return { fr: `Valeurs possibles\u00a0: ${values}.`, en: `Possible values: ${values}.` }
  },
  minLength: ({ limit }) =>
    limit === 1
      ? { fr: 'Ce champ ne peut pas être vide.', en: 'This field cannot be empty.' }
      : { fr: `Au moins ${limit ?? 0} caractères.`, en: `At least ${limit ?? 0} characters.` },
  maxLength: ({ limit }) => ({
    fr: `Au plus ${limit ?? 0} caractères.`,
    en: `At most ${limit ?? 0} characters.`,
  }),
  format: ({ format = '' }) => formatMessages[format] ?? doesNotFit,
  minimum: ({ limit }) => ({ fr: `Au moins ${limit ?? 0}.`, en: `At least ${limit ?? 0}.` }),
  maximum: ({ limit }) => ({ fr: `Au plus ${limit ?? 0}.`, en: `At most ${limit ?? 0}.` }),
}

/** One failure of a schema as people read it, with its field. */
export function fieldErrorOf({ instancePath, keyword, params }: SchemaFailure): FieldError {
  const property = params['additionalProperty'] ?? params['missingProperty']
  const isNamed = keyword === 'additionalProperties' || keyword === 'required'
  return {
    pointer: isNamed ? `${instancePath}/${pointerTokenOf(String(property))}` : instancePath,
    message: requirements[keyword]?.(params) ?? doesNotFit,
  }
}

/**
 * The error for a body that does not match its schema.
 * @param at JSON pointer to the part of the body that was checked
 */
export function bodyErrorOf(failures: readonly SchemaFailure[], at = ''): AppError {
  const hasUnknown = failures.some(({ keyword }) => keyword === 'additionalProperties')
  const errors = failures.map((failure) =>
    fieldErrorOf({ ...failure, instancePath: `${at}${failure.instancePath}` }),
  )
  return new AppError(hasUnknown ? 'unknown-field' : 'invalid-body', { errors })
}
