import { CommandInput, CommandQuery, CommandsInput, SentCommands, StationCommand } from '../commands.ts'
import { byId, byName, operators, viewers } from './define.ts'
import type { Endpoints } from './endpoint.ts'

const sending = {
  errors: ['update-unavailable', 'mac-address-missing', 'not-cancellable'],
  answers: { 202: SentCommands },
} as const

/** Commands to one or several stations, and their outcomes. */
export const commandEndpoints = {
  list: viewers.list('/api/postes/commands/', 'Commands, newest first', {
    query: CommandQuery,
    item: StationCommand,
  }),
  sendToSeveral: operators.post('/api/postes/commands/', 'Command several stations', {
    ...sending,
    body: CommandsInput,
  }),
  read: viewers.get('/api/postes/commands/{id}/', 'One command', {
    params: byId,
    answers: { 200: StationCommand },
  }),
  send: operators.post('/api/postes/{id}/commands/', 'Command a station', {
    ...sending,
    params: byName,
    body: CommandInput,
  }),
} as const satisfies Endpoints
