import { createPlaces } from '@escale/broker'
import {
  LIVE_CLOSE,
  SECOND_MS,
  addressGroupOf,
  clientFrames,
  errorTitle,
  instantOf,
  type AccessClaims,
  type Actor,
  type ClientFrame,
  type ErrorCode,
  type Language,
  type ServerFrame,
} from '@escale/protocol'
import type { FastifyBaseLogger } from 'fastify'
import { Check } from 'typebox/value'
import type { RawData, WebSocket } from 'ws'
import type { Clock } from '../../clock.ts'
import { storageErrorOf } from '../../db/storage-fault.ts'
import { AppError, messageOf, unwrap } from '../../errors.ts'
import { createQueue } from '../../timing.ts'
import type { SignIns } from '../../features/auth/index.ts'
import { toSessionTime, type CodeValidation, type SessionService } from '../../features/sessions/index.ts'
import type { Audience, Listener } from './audience.ts'

/** Maximum number of connections of one operator. Each browser tab has one. */
const MOST_PER_OPERATOR = 64
/** Maximum number of connections of one address. Several desks may share it. */
const MOST_PER_ADDRESS = 256
/** How long a connection may stay open without a token, and after its token has expired. */
const FIRST_TOKEN_MS = 5 * SECOND_MS
const EXPIRY_GRACE_MS = 30 * SECOND_MS
/** With more waiting frames, the connection is closed with "policy violation" (RFC 6455). */
const MAX_WAITING_FRAMES = 256
const TOO_FAST_CLOSE = 1008
const MAX_FRAME_BYTES = 16 * 1024
/** A connection with more unread data is closed. */
const MAX_BUFFERED_BYTES = 1024 * 1024

/** Reasons for close frames, which have at most 123 bytes. */
const tooMany = {
  ofAddress: {
    fr: 'Trop d’écrans ouverts depuis cette adresse\u00a0: fermez-en un.',
    en: 'Too many screens are open at this address: close one.',
  },
  ofOperator: {
    fr: 'Trop d’écrans ouverts pour cet opérateur\u00a0: fermez-en un.',
    en: 'Too many screens are open for this operator: close one.',
  },
}

export interface ConnectionPorts {
  audience: Audience
  places: ReturnType<typeof createScreenPlaces>
  auth: Pick<SignIns, 'authenticate'>
  sessions: SessionService
  codes: CodeValidation
  clock: Clock
}

/** Places for the connections of each address and of each operator. */
export const createScreenPlaces = () => ({
  ofAddress: createPlaces({ perGroup: MOST_PER_ADDRESS }),
  ofOperator: createPlaces({ perGroup: MOST_PER_OPERATOR }),
})

export interface LiveRequest {
  /** The session to receive; undefined for everything. */
  sessionId: string | undefined
  /** From the subprotocols, if the client offered a token there. */
  token: string | undefined
  ip: string
  language: Language
  log: Pick<FastifyBaseLogger, 'error'>
}

/** Serves one live connection until it closes. Source: docs/contract.md, WebSocket */
export function serveLiveConnection(socket: WebSocket, request: LiveRequest, ports: ConnectionPorts): void {
  const { audience, places, auth, sessions, codes, clock } = ports
  const leaveAddress = places.ofAddress.take(addressGroupOf(request.ip))
  if (!leaveAddress) {
    socket.close(LIVE_CLOSE.tooMany, tooMany.ofAddress[request.language])
    return
  }
  socket.once('close', leaveAddress)
  let leaveOperator: { id: string; leave(): void } | undefined
  let claims: AccessClaims | undefined
  let listener: Listener | undefined
  let leave: (() => void) | undefined
  /** The session whose start was last broadcast to this screen. */
  let announcedStart: string | undefined
  const wasStartAnnounced = (sessionId: string) => announcedStart === sessionId
  let deadline = setTimeout(() => socket.close(LIVE_CLOSE.unauthenticated), FIRST_TOKEN_MS)

  const isOpen = () => socket.readyState === socket.OPEN
  const sendText = (text: string) => {
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) socket.terminate()
    else if (isOpen()) socket.send(text)
  }
  const send = (frame: ServerFrame) => sendText(JSON.stringify(frame))
  const sendError = (code: ErrorCode, message = errorTitle(code, request.language)) =>
    send({ type: 'error', code, message })

  async function authenticate(token: string): Promise<void> {
    const accepted = await auth.authenticate(token)
    // The connection closed in the meantime.
    if (!isOpen()) return
    if (!accepted) {
      socket.close(LIVE_CLOSE.unauthenticated)
      return
    }
    if (leaveOperator?.id !== accepted.sub) {
      const leave = places.ofOperator.take(accepted.sub)
      if (!leave) {
        socket.close(LIVE_CLOSE.tooMany, tooMany.ofOperator[request.language])
        return
      }
      leaveOperator?.leave()
      leaveOperator = { id: accepted.sub, leave }
    }
    claims = accepted
    clearTimeout(deadline)
    const leftMs = accepted.exp * SECOND_MS + EXPIRY_GRACE_MS - clock.nowMs()
    deadline = setTimeout(() => socket.close(LIVE_CLOSE.unauthenticated), leftMs)
    if (listener) {
      listener.signInId = accepted.sid
      return
    }
    if (request.sessionId !== undefined) {
      const session = await sessions.find(request.sessionId).catch(undefinedIfUnknown)
      if (!session) {
        socket.close(LIVE_CLOSE.unknownSession)
        return
      }
    }
    if (!isOpen()) return
    listener = {
      sessionId: request.sessionId,
      signInId: accepted.sid,
      send: (text, frame) => {
        if (frame?.type === 'session_started') announcedStart = frame.sessionId
        sendText(text)
      },
      dismiss: () => socket.close(LIVE_CLOSE.unauthenticated),
    }
    leave = audience.add(listener)
    send({ type: 'connection_established', sentAt: instantOf(clock.nowMs()) })
    if (request.sessionId !== undefined) await sendTime(request.sessionId)
  }

  async function sendTime(sessionId: string): Promise<void> {
    send({ type: 'time_update', ...toSessionTime(await sessions.find(sessionId), clock.nowMs()) })
  }

  async function take(frame: ClientFrame): Promise<void> {
    if (frame.type === 'authenticate') return authenticate(frame.token)
    if (!claims) {
      sendError('unauthenticated')
      return
    }
    const actor: Actor = { type: 'operator', id: claims.sub, label: claims.username }
    if (claims.role === 'viewer' && (frame.type === 'validate_code' || frame.type === 'start_session')) {
      sendError('forbidden')
      return
    }
    switch (frame.type) {
      case 'heartbeat': {
        send({ type: 'heartbeat', sentAt: instantOf(clock.nowMs()) })
        return
      }
      case 'get_time':
        return sendTime(frame.sessionId)
      case 'validate_code': {
        const { code, stationId } = frame
        const validated = unwrap(await codes.validate({ code, stationId, ip: request.ip, actor }))
        send({ type: 'code_validated', ...validated })
        return
      }
      case 'start_session': {
        announcedStart = undefined
        const session = unwrap(await sessions.start(frame.sessionId, frame.stationId, actor))
        // The frame was already broadcast with the commit, unless nothing changed or this screen receives another session.
        if (!wasStartAnnounced(session.id))
          send({ type: 'session_started', ...toSessionTime(session, clock.nowMs()) })
        return
      }
    }
  }

  /** Frames are handled one after the other. */
  const queue = createQueue()
  const inTurn = (work: () => Promise<void>) => void queue(() => work().catch(report))
  const { token } = request
  if (token !== undefined) inTurn(() => authenticate(token))
  let waiting = 0
  socket.on('message', (data: RawData) => {
    waiting += 1
    if (waiting > MAX_WAITING_FRAMES) {
      socket.close(TOO_FAST_CLOSE)
      return
    }
    inTurn(async () => {
      waiting -= 1
      // The connection closed in the meantime.
      if (socket.readyState !== socket.OPEN) return
      const frame = parseFrame(data)
      if (frame) await take(frame)
      else sendError('invalid-body')
    })
  })
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    clearTimeout(deadline)
    leave?.()
    leaveOperator?.leave()
  })

  function report(err: unknown): void {
    const known = err instanceof AppError ? err : storageErrorOf(err)
    if (known) {
      sendError(known.code, messageOf(known, request.language))
      return
    }
    request.log.error({ err }, 'live frame failed')
    sendError('internal')
  }
}

function undefinedIfUnknown(err: unknown): undefined {
  if (!(err instanceof AppError)) throw err
}

function parseFrame(data: RawData): ClientFrame | undefined {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data as ArrayBuffer)
  if (bytes.length > MAX_FRAME_BYTES) return undefined
  let frame: unknown
  try {
    frame = JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
  const isKnown = Object.values(clientFrames).some((schema) => Check(schema, frame))
  return isKnown ? (frame as ClientFrame) : undefined
}
