import {
  CommandInput,
  CommandQuery,
  CommandsInput,
  SentCommands,
  StationCommand,
  StationCommandPage,
} from '../commands.ts'
import { byId, byName, get, post, type Endpoints } from './endpoint.ts'

const sendErrors = ['update-unavailable', 'mac-address-missing', 'not-cancellable'] as const

/** Commands to one or several stations, and their outcomes. */
export const commandEndpoints = {
  list: get('/api/postes/commands/', 'Commands, newest first', {
    access: 'viewer',
    query: CommandQuery,
    page: StationCommandPage,
  }),
  sendToSeveral: post('/api/postes/commands/', 'Command several stations', {
    access: 'operator',
    errors: sendErrors,
    body: CommandsInput,
    answers: { 202: SentCommands },
  }),
  read: get('/api/postes/commands/{id}/', 'One command', {
    access: 'viewer',
    params: byId,
    answers: { 200: StationCommand },
  }),
  send: post('/api/postes/{id}/commands/', 'Command a station', {
    access: 'operator',
    errors: sendErrors,
    params: byName,
    body: CommandInput,
    answers: { 202: SentCommands },
  }),
} as const satisfies Endpoints
