import type { Broker, Principal } from '@escale/broker'
import type { Logger } from 'pino'
import type { Bus, Machine } from './port.ts'

/** The bus over the embedded broker. The broker is attached later, since it needs the services and they need the bus. */
export function createBrokerBus(log: Logger): Bus & {
  attach(broker: Broker): void
  /** The broker is about to close: what cannot be published any more is no error. */
  detach(): void
} {
  let attached: Broker | undefined
  let isDetached = false
  const broker = (): Broker => {
    if (!attached) throw new Error('the broker is not attached yet')
    return attached
  }
  /** A failure is only logged: stations get the current documents from the database when they subscribe again. */
  const logged = async (work: Promise<void>) => {
    try {
      await work
    } catch (err) {
      if (!isDetached) log.error({ err }, 'publishing failed')
    }
  }
  return {
    attach(made) {
      attached = made
    },
    detach() {
      isDetached = true
    },
    publish: (name, party, payload) => logged(broker().publish(name, party, payload)),
    clearRetained: (stationId) => logged(broker().clearRetained(stationId)),
    disconnectStation(stationId) {
      broker().disconnect(({ kind, id }) => kind === 'station' && id === stationId)
    },
    machines: () =>
      broker()
        .principals()
        .flatMap((principal) => machineOf(principal) ?? []),
    disconnectMachines: (matches) =>
      broker().disconnect((principal) => {
        const machine = machineOf(principal)
        return machine !== undefined && matches(machine)
      }),
    signIns: () =>
      broker()
        .principals()
        .flatMap(({ signInId }) => signInId ?? []),
    disconnectSignIns(matches) {
      broker().disconnect(({ signInId }) => signInId !== undefined && matches(signInId))
    },
  }
}

function machineOf({ kind, id, secretHash, expiresAtMs }: Principal): Machine | undefined {
  if (kind === 'operator' || secretHash === undefined) return undefined
  return { kind, id, secretHash, expiresAtMs }
}
