import { isIdentifyingMac, normaliseMac, type EnrolInput } from '@escale/protocol'
import type { Database } from '../../db/database.ts'
import { failure, invalidField, success, type Result } from '../../errors.ts'
import { systemActor, type Journal } from '../logs/index.ts'
import type { Rates } from '../rates/index.ts'
import type { StationService } from '../stations/index.ts'
import type { Throttles } from '../throttles/index.ts'
import type { BootTokens } from './boot-tokens.ts'
import type { EnrolmentOutcome, Pairing } from './pairing.ts'
import type { SiteKey } from './site-key.ts'

export interface EnrolmentServicePorts {
  database: Database
  pairing: Pick<Pairing, 'enrolled' | 'pair' | 'dropWaiting'>
  stations: Pick<StationService, 'findByMac'>
  siteKey: Pick<SiteKey, 'isRight'>
  bootTokens: Pick<BootTokens, 'redeem'>
  throttles: Throttles
  rates: Pick<Rates, 'allows' | 'retryAfterSeconds'>
  journal: Journal
}

export type EnrolmentService = ReturnType<typeof createEnrolmentService>

/** Gives a station its id and its secret. */
export function createEnrolmentService(ports: EnrolmentServicePorts) {
  const { database, pairing, stations, throttles, rates, siteKey, bootTokens, journal } = ports

  return {
    /** @param ownStationId the station that called with its own credentials, to renew its secret */
    async enrol(input: EnrolInput, ip: string, ownStationId?: string): Promise<Result<EnrolmentOutcome>> {
      const counters = [{ kind: 'address-enrolment', ip } as const]
      const throttled = async () => {
        const retryAfterSeconds = await throttles.waitSeconds(counters)
        return retryAfterSeconds > 0 ? failure('enrolment-throttled', { retryAfterSeconds }) : undefined
      }
      // Checked before the write begins, so that a flood of blocked calls does not delay other writes.
      const refused = await throttled()
      if (refused) return refused
      const macAddress = normaliseMac(input.macAddress)
      if (macAddress === undefined) {
        const message = { fr: 'Ce n’est pas une adresse MAC.', en: 'Not a MAC address.' }
        return { ok: false, error: invalidField('/macAddress', message) }
      }
      if (ownStationId !== undefined && !rates.allows(ownStationId, 'enrolment'))
        return failure('enrolment-throttled', { retryAfterSeconds: rates.retryAfterSeconds('enrolment') })
      return database.write(async () => {
        // Checked again, because other calls from the same address may have failed in the meantime.
        const refusedNow = await throttled()
        if (refusedNow) return refusedNow
        const hasMac = isIdentifyingMac(macAddress)
        if (ownStationId !== undefined) return success(await pairing.enrolled(ownStationId, ip))
        // The station gets its identity now, so its waiting request is removed.
        const identified = async (stationId: string) => {
          await pairing.dropWaiting(macAddress, ip)
          return success(await pairing.enrolled(stationId, ip))
        }
        const known = hasMac ? await bootTokens.redeem(input.enrolmentKey, macAddress) : undefined
        if (known !== undefined) return identified(known)
        if (!(await siteKey.isRight(input.enrolmentKey))) {
          await throttles.countFailure(counters)
          const record = { action: 'station.enrolment_refused', level: 'warning', ip } as const
          await journal.append({ ...record, actor: systemActor, details: { macAddress } })
          return failure('enrolment-refused')
        }
        const station = hasMac ? await stations.findByMac(macAddress) : undefined
        if (station?.secretHash === null) return identified(station.id)
        return pairing.pair(input, macAddress, ip)
      })
    },
  }
}
