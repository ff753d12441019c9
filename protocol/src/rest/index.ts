import { accountEndpoints } from './accounts.ts'
import { authEndpoints } from './auth.ts'
import { callEndpoints } from './calls.ts'
import { commandEndpoints } from './commands.ts'
import { enrolmentEndpoints, siteKeyEndpoints } from './enrolment.ts'
import { logEndpoints } from './logs.ts'
import { operatorEndpoints } from './operators.ts'
import { reportEndpoints } from './reports.ts'
import { serviceEndpoints } from './service.ts'
import { sessionEndpoints } from './sessions.ts'
import { blockEndpoints, settingsEndpoints } from './settings.ts'
import { stationEndpoints } from './stations.ts'
import { photoEndpoints, privacyEndpoints, userEndpoints } from './users.ts'

export * from './client.ts'
export * from './endpoint.ts'

/** Every endpoint of the REST API, by group. */
export const restApi = {
  auth: authEndpoints,
  operators: operatorEndpoints,
  accounts: accountEndpoints,
  users: userEndpoints,
  photos: photoEndpoints,
  privacy: privacyEndpoints,
  stations: stationEndpoints,
  calls: callEndpoints,
  commands: commandEndpoints,
  enrolment: enrolmentEndpoints,
  siteKey: siteKeyEndpoints,
  sessions: sessionEndpoints,
  logs: logEndpoints,
  reports: reportEndpoints,
  settings: settingsEndpoints,
  blocks: blockEndpoints,
  service: serviceEndpoints,
} as const
