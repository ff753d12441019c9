export { createBroker } from './broker.ts'
export { createDeadlines } from './deadlines.ts'
export { createLanes } from './lanes.ts'
export { createLogThrottle } from './log-throttle.ts'
export { OPERATOR_USERNAME } from './login.ts'
export { WEBSOCKET_MAX_PAYLOAD_BYTES } from './ports.ts'
export { watchNewSockets } from './new-sockets.ts'
export { createPlaces, maxOpenFiles, placesForUnknown } from './places.ts'
export type { PlaceLimits, Places } from './places.ts'
export type {
  Broker,
  BrokerOptions,
  BrokerPorts,
  BrokerStats,
  Credentials,
  ListenOptions,
  Origin,
  Principal,
  Received,
  TlsCertificate,
  Verdict,
} from './ports.ts'
