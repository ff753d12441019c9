import type { TopicName, TopicPayload } from '@escale/protocol'

/** What the backend needs of the broker: to speak, to forget a station, to cut a connection. */
export interface Bus {
  /** Quality of service and retention come from the topic table. */
  publish<N extends TopicName>(name: N, party: string | undefined, payload: TopicPayload<N>): Promise<void>
  /** Clears every retained document of a station that is gone. */
  clearRetained(stationId: string): Promise<void>
  /** Cuts every connection of a station. */
  disconnectStation(stationId: string): void
  /** Cuts every connection of an operator's browsers. */
  disconnectOperator(operatorId: string): void
}
