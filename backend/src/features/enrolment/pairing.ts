import { randomInt, randomUUID } from 'node:crypto'
import {
  MINUTE_MS,
  addressGroupOf,
  isIdentifyingMac,
  normaliseMac,
  type AcceptPairingInput,
  type Actor,
  type EnrolInput,
  type Enrolled,
  type PairingPending,
  type PairingRequest,
  type PairingRequestQuery,
} from '@escale/protocol'
import { answerOf } from '../../db/nulls.ts'
import type { PairingRequestRow } from '../../db/rows.ts'
import { AppError, failure, success, type Result } from '../../errors.ts'
import { shown, type Rows } from '../../db/page-window.ts'
import { drawSecret, hashSecret } from '../../crypto/secrets.ts'
import type { BasePorts } from '../base-ports.ts'
import { systemActor } from '../logs/index.ts'
import type { StationCredentials, StationService } from '../stations/index.ts'
import type { PairingRepository } from './repository.ts'

const MAX_REQUESTS = 100
/** Limit for one address. More requests are possible after some have been accepted. */
const MAX_PER_ADDRESS = 10
const REQUEST_MS = 15 * MINUTE_MS
const RETRY_AFTER_SECONDS = 3

export interface PairingPorts extends BasePorts {
  repository: PairingRepository
  stations: Pick<StationService, 'create' | 'get'>
  credentials: Pick<StationCredentials, 'renewSecret' | 'requireAcceptance'>
}

/** The station's identity without the broker's address, or a waiting request. */
export type EnrolmentOutcome =
  | { type: 'enrolled'; identity: Pick<Enrolled, 'stationId' | 'mqttSecret'> }
  | { type: 'pending'; pending: PairingPending }
export type Pairing = ReturnType<typeof createPairing>

/** Unknown stations: they wait until an admin accepts them. */
export function createPairing({ database, repository, stations, credentials, journal, clock }: PairingPorts) {
  /** Gives a station its identity. Call it inside a write. */
  async function enrolled(stationId: string, ip: string): Promise<EnrolmentOutcome> {
    const mqttSecret = await credentials.renewSecret(stationId)
    await journal.append({ action: 'station.enrolled', actor: systemActor, stationId, ip })
    return { type: 'enrolled', identity: { stationId, mqttSecret } }
  }

  /** An accepted station that shows its pairing secret gets its identity. Every other station waits. */
  async function pair(input: EnrolInput, macAddress: string, ip: string): Promise<Result<EnrolmentOutcome>> {
    const nowMs = clock.nowMs()
    await repository.removeExpired(nowMs)
    const shown = input.pairingSecret
    const known = shown ? await repository.findBySecret(macAddress, hashSecret(shown)) : undefined
    if (known && known.stationId !== null) {
      await repository.remove(known.id)
      return success(await enrolled(known.stationId, ip))
    }
    const refusal = known ? undefined : await makeRoom(macAddress, ip)
    if (refusal) return refusal
    const pairingSecret = known && shown ? shown : drawSecret()
    const pairingCode = known?.pairingCode ?? String(randomInt(1_000_000)).padStart(6, '0')
    const { hostname, os, agentVersion } = input
    await repository.save({
      id: known?.id ?? randomUUID(),
      ...{ macAddress, hostname, os, agentVersion, ip, pairingCode },
      secretHash: hashSecret(pairingSecret),
      stationId: null,
      requestedAtMs: known?.requestedAtMs ?? nowMs,
      expiresAtMs: nowMs + REQUEST_MS,
    })
    if (!known) {
      const details = { macAddress }
      await journal.append({
        action: 'station.enrolment_requested',
        actor: systemActor,
        ip,
        details,
        texts: { hostname },
      })
    }
    const pending = { pairingCode, pairingSecret, retryAfterSeconds: RETRY_AFTER_SECONDS }
    return success({ type: 'pending', pending })
  }

  /**
   * Makes room for a request without a pairing secret. It replaces the waiting request of the same MAC address only from
   * the same network, because a MAC address can be forged. Accepted requests stay.
   * @returns the failure if too many requests wait
   */
  async function makeRoom(
    macAddress: string,
    ip: string,
  ): Promise<{ ok: false; error: AppError } | undefined> {
    await dropWaiting(macAddress, ip)
    const group = addressGroupOf(ip)
    const all = await repository.findAll()
    const fromHere = all.filter((row) => row.ip !== null && addressGroupOf(row.ip) === group)
    if (fromHere.length >= MAX_PER_ADDRESS) {
      const detail = {
        fr: 'Trop de postes attendent déjà une acceptation depuis cette adresse.',
        en: 'Too many stations at this address already wait to be accepted.',
      }
      return failure('pairing-full', { detail, retryAfterSeconds: 60 })
    }
    if (all.length < MAX_REQUESTS) return undefined
    return failure('pairing-full', { retryAfterSeconds: 60 })
  }

  /** Removes the waiting request of this MAC address from this network. */
  async function dropWaiting(macAddress: string, ip: string): Promise<void> {
    if (!isIdentifyingMac(macAddress)) return
    const group = addressGroupOf(ip)
    for (const row of await repository.findAll()) {
      const isSame = row.macAddress === macAddress && row.ip !== null && addressGroupOf(row.ip) === group
      if (isSame && row.stationId === null) await repository.remove(row.id)
    }
  }

  async function requireWaiting(id: string): Promise<PairingRequestRow> {
    const request = await repository.find(id)
    if (!request || request.expiresAtMs <= clock.nowMs()) throw new AppError('not-found')
    return request
  }

  return {
    enrolled,
    pair,
    dropWaiting,

    async list(query: PairingRequestQuery): Promise<Rows<PairingRequest>> {
      // A MAC address is accepted in any notation.
      const macAddress = query.macAddress && (normaliseMac(query.macAddress) ?? query.macAddress)
      return shown(await repository.listWaiting(clock.nowMs(), { ...query, macAddress }), toPairingRequest)
    },

    /** Accepts a request for the existing station `stationId`, or creates this station if a `label` is given. */
    accept(id: string, input: AcceptPairingInput, actor: Actor): Promise<PairingRequest> {
      return database.write(async () => {
        const request = await requireWaiting(id)
        const { stationId, label, location } = input
        const macAddress = isIdentifyingMac(request.macAddress) ? request.macAddress : undefined
        if (label === undefined) await stations.get(stationId)
        else await stations.create({ id: stationId, label, location, macAddress }, actor)
        // Only the pairing secret gives the identity, so that a machine with a forged MAC address cannot get it.
        await credentials.requireAcceptance(stationId)
        const accepted = { ...request, stationId, expiresAtMs: clock.nowMs() + REQUEST_MS }
        if (macAddress !== undefined) await repository.removeOthers(request)
        await repository.save(accepted)
        await journal.append({ action: 'station.pairing_accepted', actor, stationId })
        return toPairingRequest(accepted)
      })
    },

    refuse(id: string, actor: Actor): Promise<void> {
      return database.write(async () => {
        const { macAddress } = await requireWaiting(id)
        await repository.remove(id)
        await journal.append({ action: 'station.pairing_refused', actor, details: { macAddress } })
      })
    },
  }
}

function toPairingRequest({ secretHash: _hash, ...row }: PairingRequestRow): PairingRequest {
  return { ...answerOf(row), state: row.stationId === null ? 'waiting' : 'accepted' }
}
