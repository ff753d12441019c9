import { uptime } from 'node:os'
import type { Logger } from 'pino'
import type { Ack } from '@escale/protocol'
import { AGENT_VERSION } from '../agent-version.ts'
import {
  MAX_ERROR_LENGTH,
  heartbeatOf,
  reportedOf,
  stationEventOf,
  type Effect,
  type Input,
  type StationState,
} from '../core/index.ts'
import { createStationActions } from '../command-actions.ts'
import { createHeartbeat } from './heartbeat.ts'
import { createCommands, type RememberedCommand } from './commands.ts'
import { createLink } from './link.ts'
import type { MachineIdentity, Platform } from '../platform/platform.ts'
import type { Identity } from '../store.ts'

export interface StationLinkOptions {
  identity: Identity
  /** PEM of the authority against which the broker's certificate is checked. */
  caCertificate?: string
  /** What this machine currently reports about itself to the server at this address. */
  describe: (server: URL) => Promise<MachineIdentity>
  bootId: string
  platform: Platform
  remembered: readonly RememberedCommand[]
  remember: (commands: readonly RememberedCommand[]) => Promise<void>
  log: Logger
  nowMs: () => number
  dispatch: (input: Input) => void
  onRefused: () => void
  /** Whether a page shows the station's screen. */
  isScreenOpen: () => boolean
  state: () => StationState
}

export type LinkEffect = Extract<Effect, { kind: 'report' | 'sendEvents' | 'askTime' | 'request' }>

export interface StationLink {
  perform: (effect: LinkEffect) => void
  /** To be called after every change of the state, or of the pages that show the screen. */
  changed: () => void
  stop: () => Promise<void>
}

/** Connects the core to the bus: reports, heartbeats, stored events, requests and commands. */
export function createStationLink(options: StationLinkOptions): StationLink {
  const { identity, bootId, platform, log, nowMs, dispatch, state } = options
  const unacknowledged = new Set<Ack>()
  let isSendingEvents = false

  const link = createLink({
    url: identity.mqttUrl,
    stationId: identity.stationId,
    secret: identity.mqttSecret,
    caCertificate: options.caCertificate,
    presence: async () => ({
      bootId,
      agentVersion: AGENT_VERSION,
      ...(await options.describe(new URL(identity.mqttUrl))),
    }),
    nowMs,
    log,
    onUp: () => {
      dispatch({ kind: 'linkUp' })
      void heartbeat.beat()
    },
    onDown: () => dispatch({ kind: 'linkDown' }),
    onRefused: options.onRefused,
    onClockSample: (sample) => dispatch({ kind: 'clockSampled', sample }),
    onSettled: () => {
      report()
      void sendEvents()
      for (const ack of unacknowledged) void sendAck(ack)
    },
    onMessage: (message) => {
      if (message.name === 'desired') dispatch({ kind: 'desiredReceived', desired: message.payload })
      else if (message.name === 'config') {
        dispatch({ kind: 'configReceived', config: message.payload })
        heartbeat.schedule()
      } else void commands.take(message.payload)
    },
  })

  const report = () => {
    if (link.isSettled()) void link.publish('reported', reportedOf(state(), nowMs()))
  }

  /** Sends the stored events one after the other, so that their order holds. Each is stored until the broker acknowledges it. */
  const sendEvents = async () => {
    if (isSendingEvents) return
    isSendingEvents = true
    try {
      for (
        let event = state().events[0];
        event !== undefined && link.isSettled();
        event = state().events[0]
      ) {
        if (!(await link.publish('events', stationEventOf(event)))) return
        dispatch({ kind: 'eventAcknowledged', bootId: event.bootId, seq: event.seq })
      }
    } finally {
      isSendingEvents = false
    }
  }

  const sendAck = async (ack: Ack) => {
    unacknowledged.add(ack)
    if (await link.publish('ack', ack)) unacknowledged.delete(ack)
  }

  const heartbeat = createHeartbeat({
    ...{ platform, log },
    intervalMs: () => state().config.heartbeatIntervalMs,
    send: (facts) => link.publish('heartbeat', heartbeatOf(state(), facts, nowMs())),
  })

  const station = createStationActions({
    ...{ platform, state, dispatch, log },
    isScreenOpen: options.isScreenOpen,
    reportFault: (kind, error) =>
      void link.ask('report_fault', { kind, details: { error: error.slice(0, MAX_ERROR_LENGTH) } }),
  })
  const commands = createCommands({
    bootId,
    actions: station.actions,
    remembered: options.remembered,
    remember: options.remember,
    uptimeSeconds: uptime,
    serverNowMs: () => {
      const { clock } = state()
      return clock === undefined ? undefined : nowMs() + clock.offsetMs
    },
    stampMs: () => Math.round(nowMs() + state().stampOffsetMs),
    acknowledge: (ack) => void sendAck(ack),
  })

  const request = async ({ tag, op, params }: Extract<LinkEffect, { kind: 'request' }>) => {
    const answer = await link.ask(op, params)
    dispatch(answer === undefined ? { kind: 'unanswered', tag } : { kind: 'answered', tag, answer })
  }

  heartbeat.schedule()
  return {
    perform: (effect) => {
      switch (effect.kind) {
        case 'report': {
          report()
          return
        }
        case 'sendEvents':
          return void sendEvents()
        case 'askTime':
          return void link.askTime()
        case 'request':
          return void request(effect)
      }
    },
    changed: station.changed,
    stop: async () => {
      heartbeat.stop()
      station.stop()
      await link.stop()
    },
  }
}
