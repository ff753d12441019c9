export { createAgent, type Agent, type AgentOptions } from './agent.ts'
export { AGENT_VERSION } from './agent-version.ts'
export type { ScreenView } from './core/index.ts'
export { createLink, type Link } from './link/link.ts'
export type { Credentials } from './identification.ts'
export type { MachineIdentity, Metrics, Platform } from './platform/platform.ts'
export {
  createSimulatedPlatform,
  type SimulatedOptions,
  type SimulatedPlatform,
} from './platform/simulated/simulated-platform.ts'
export { createFileStore, createMemoryStore, type Identity, type Store } from './store.ts'
