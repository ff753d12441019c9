import { isIdentifyingMac, normaliseIp, normaliseMac, type StationInput } from '@escale/protocol'
import { AppError, invalidField } from '../../errors.ts'
import type { StationRepository } from './repository.ts'

const namesNobody = {
  fr: 'Cette adresse MAC ne désigne aucune carte réseau\u00a0: donnez celle de la carte du poste.',
  en: 'This MAC address names no network card: give the one of the station’s card.',
}

/**
 * The addresses of a station in canonical form.
 * @throws AppError naming the field whose value is not an address or belongs to another station
 */
export async function checkedAddresses(
  repository: Pick<StationRepository, 'findBy'>,
  input: Omit<StationInput, 'id'>,
  ownId: string,
) {
  const ipAddress = input.ipAddress === undefined ? null : normaliseIp(input.ipAddress)
  const macAddress = input.macAddress === undefined ? null : normaliseMac(input.macAddress)
  if (ipAddress === undefined)
    throw invalidField('/ipAddress', { fr: 'Ce n’est pas une adresse IP.', en: 'Not an IP address.' })
  if (macAddress === undefined)
    throw invalidField('/macAddress', { fr: 'Ce n’est pas une adresse MAC.', en: 'Not a MAC address.' })
  if (macAddress !== null && !isIdentifyingMac(macAddress)) throw invalidField('/macAddress', namesNobody)
  const addresses = { ipAddress, macAddress }
  for (const field of ['ipAddress', 'macAddress'] as const) {
    const value = addresses[field]
    const holder = value === null ? undefined : await repository.findBy({ [field]: value })
    if (holder && holder.id !== ownId) throw duplicateField(field, holder.label)
  }
  return addresses
}

function duplicateField(field: string, holder: string): AppError {
  const detail = {
    fr: `Cette valeur est déjà celle du poste «\u202f${holder}\u202f».`,
    en: `This value already belongs to station “${holder}”.`,
  }
  return new AppError('duplicate', { detail, errors: [{ pointer: `/${field}`, message: detail }] })
}
