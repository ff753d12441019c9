import {
  CommandInput,
  CommandQuery,
  CommandsInput,
  SentCommands,
  StationCommand,
  StationCommandPage,
} from '../commands.ts'
import { byId, byName, type Endpoints } from './endpoint.ts'

const sendErrors = ['update-unavailable', 'mac-address-missing', 'not-cancellable'] as const

/** Commands to one station, to several, and what became of them. */
export const commandEndpoints = {
  list: {
    method: 'GET',
    path: '/api/postes/commands/',
    summary: 'Commands, newest first',
    access: 'viewer',
    query: CommandQuery,
    page: StationCommandPage,
  },
  sendToSeveral: {
    method: 'POST',
    path: '/api/postes/commands/',
    summary: 'Command several stations',
    access: 'operator',
    errors: sendErrors,
    body: CommandsInput,
    answers: { 202: SentCommands },
  },
  read: {
    method: 'GET',
    path: '/api/postes/commands/{id}/',
    summary: 'One command',
    access: 'viewer',
    params: byId,
    answers: { 200: StationCommand },
  },
  send: {
    method: 'POST',
    path: '/api/postes/{id}/commands/',
    summary: 'Command a station',
    access: 'operator',
    errors: sendErrors,
    params: byName,
    body: CommandInput,
    answers: { 202: SentCommands },
  },
} as const satisfies Endpoints
