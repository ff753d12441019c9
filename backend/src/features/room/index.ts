export { createMachines, type Machines } from './machines.ts'
export { createPresences, type Presences } from './presence.ts'
export { createRoomRepository } from './repository.ts'
export { createRoomStore, type RoomStore } from './store.ts'
