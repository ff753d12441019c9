import { closed, commandParams, type CommandInput, type CommandsInput } from '@escale/protocol'
import { Type } from 'typebox'
import { Check, Errors } from 'typebox/value'
import type { StationRow } from '../../db/rows.ts'
import { AppError, invalidField } from '../../errors.ts'
import { bodyErrorOf, type SchemaFailure } from '../../field-errors.ts'
import type { StationRepository } from '../stations/index.ts'

/** The stations that a command is for. */
export type Target = { stationId: string } | Pick<CommandsInput, 'stationIds' | 'location' | 'all'>

const noParams = Type.Object({})

/** @throws AppError if the command is not available or its `params` are wrong */
export function requireOrder({ op, params = {} }: CommandInput): void {
  if (op === 'update') throw new AppError('update-unavailable')
  const schema = closed((op === 'wake' ? noParams : commandParams[op]).properties)
  if (!Check(schema, params)) throw bodyErrorOf(Errors(schema, params).flatMap(failuresOf), '/params')
}

/** TypeBox lists all unknown or missing properties in one failure, and reports each unknown one again. */
function failuresOf(failure: ReturnType<typeof Errors>[number]): SchemaFailure[] {
  const { keyword, instancePath, params } = failure
  const eachOf = (names: string[], param: string) =>
    names.map((name) => ({ keyword, instancePath, params: { [param]: name } }))
  if (keyword === 'additionalProperties') return eachOf(params.additionalProperties, 'additionalProperty')
  if (keyword === 'required') return eachOf(params.requiredProperties, 'missingProperty')
  return keyword === 'boolean' ? [] : [{ keyword, instancePath, params: { ...params } }]
}

/**
 * The stations that a command is for.
 * @throws AppError `not-found`, or `invalid-body` with the part that matches no station
 */
export async function stationsOf(
  target: Target,
  stations: Pick<StationRepository, 'findAll'>,
): Promise<StationRow[]> {
  if ('stationId' in target) {
    const found = await stations.findAll({ id: [target.stationId] })
    if (found.length === 0) throw new AppError('not-found')
    return found
  }
  const { stationIds, location, all } = target
  if ([stationIds, location, all].filter((means) => means !== undefined).length !== 1)
    throw invalidField('', {
      fr: 'Indiquez soit stationIds, soit location, soit all.',
      en: 'Give exactly one of stationIds, location and all.',
    })
  if (all) return stations.findAll()
  if (location !== undefined) {
    const found = await stations.findAll({ location })
    if (found.length > 0) return found
    throw invalidField('/location', {
      fr: 'Aucun poste à cet emplacement.',
      en: 'There is no station at this location.',
    })
  }
  const wanted = stationIds ?? []
  const found = await stations.findAll({ id: wanted })
  const known = new Set(found.map(({ id }) => id))
  const missing = wanted.findIndex((id) => !known.has(id))
  if (missing >= 0)
    throw invalidField(`/stationIds/${missing}`, {
      fr: 'Ce poste n’existe pas.',
      en: 'There is no such station.',
    })
  return found
}

/** The error for a cancellation of an unknown command. */
export const unknownCommand = () =>
  invalidField('/params/commandId', {
    fr: 'Ce poste n’a pas reçu de commande de ce numéro.',
    en: 'This station was given no command of this number.',
  })
