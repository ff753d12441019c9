import type { Principal } from '@escale/broker'
import type { TopicName, TopicPayload } from '@escale/protocol'

/** What the backend needs from the broker. */
export interface Bus {
  /** QoS and retain flag come from the topic table. */
  publish<N extends TopicName>(name: N, party: string | undefined, payload: TopicPayload<N>): Promise<void>
  /** Clears all retained documents of a deleted station. */
  clearRetained(stationId: string): Promise<void>
  /** Closes all connections of a station. */
  disconnectStation(stationId: string): void
  /** Who is connected to this server, once for each connection. */
  principals(): Principal[]
  /** Closes the connections to this server whose client matches; @returns how many */
  disconnect(matches: (principal: Principal) => boolean): number
}
