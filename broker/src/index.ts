export { createBroker } from './broker.ts'
export { createDeadlines } from './deadlines.ts'
export { createLogThrottle } from './log-throttle.ts'
export { OPERATOR_USERNAME } from './login.ts'
export { WEBSOCKET_MAX_PAYLOAD_BYTES } from './ports.ts'
export { admitNewcomers } from './newcomers.ts'
export { createStrangers, maxOpenFiles, strangerLimits } from './strangers.ts'
export type { StrangerLimits, Strangers } from './strangers.ts'
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
