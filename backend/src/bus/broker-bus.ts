import type { Broker } from '@escale/broker'
import type { Logger } from 'pino'
import type { Bus } from './port.ts'

/** The bus over the embedded broker. The broker is attached later, since it needs the services and they need the bus. */
export function createBrokerBus(log: Logger) {
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
    attach(made: Broker): void {
      attached = made
    },
    /** The broker is about to close: what cannot be published any more is no error. */
    detach(): void {
      isDetached = true
    },
    publish: (name, party, payload) => logged(broker().publish(name, party, payload)),
    clearRetained: (stationId) => logged(broker().clearRetained(stationId)),
    disconnectStation(stationId) {
      broker().disconnect(({ kind, id }) => kind === 'station' && id === stationId)
    },
    principals: () => broker().principals(),
    disconnect: (matches) => broker().disconnect(matches),
  } satisfies Bus & Record<'attach' | 'detach', unknown>
}
