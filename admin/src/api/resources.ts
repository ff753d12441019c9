import type {
  AcceptPairingInput,
  Account,
  AccountInput,
  AccountPage,
  AccountQuery,
  AccountReplacement,
  AccountWithSecret,
  CanCreateSession,
  CommandInput,
  CreatedSession,
  EnrolmentKey,
  LogPage,
  LogQuery,
  PairingRequestPage,
  SentCommands,
  Session,
  SessionInput,
  SessionPage,
  SessionQuery,
  Station,
  StationCommandPage,
  StationInput,
  StationPage,
  StaffCall,
  StaffCallPage,
  StationReplacement,
  ThrottlePage,
  User,
  UserInput,
  UserPage,
  UserQuery,
} from '@escale/protocol'
import type { ApiClient } from './client.ts'

const idPath = (base: string, id: string) => `${base}${encodeURIComponent(id)}/`

/** The largest page that lists give. */
const FULL_PAGE = 200

interface Page<T> {
  count: number
  next: string | null
  results: T[]
}

/** Every page of a list, for what must be on screen as a whole. */
async function everyPage<T>(load: (page: number) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = []
  for (let page = 1; ; page += 1) {
    const { next, results } = await load(page)
    all.push(...results)
    if (next === null || results.length === 0) return all
  }
}

export function usersApi(api: ApiClient) {
  const base = '/api/utilisateurs/'
  return {
    list: (query: UserQuery) => api.get<UserPage>(base, query),
    read: (id: string) => api.get<User>(idPath(base, id)),
    create: (input: UserInput) => api.post<User>(base, input),
    replace: (id: string, input: UserInput) => api.put<User>(idPath(base, id), input),
    canCreateSession: (id: string) => api.get<CanCreateSession>(`${idPath(base, id)}can_create_session/`),
  }
}

export function stationsApi(api: ApiClient) {
  const base = '/api/postes/'
  const requests = `${base}demandes/`
  return {
    all: () => everyPage((page) => api.get<StationPage>(base, { page, pageSize: FULL_PAGE })),
    create: (input: StationInput) => api.post<Station>(base, input),
    replace: (id: string, input: StationReplacement) => api.put<Station>(idPath(base, id), input),
    markMaintenance: (id: string) => api.post<Station>(`${idPath(base, id)}marquer_maintenance/`),
    markAvailable: (id: string) => api.post<Station>(`${idPath(base, id)}marquer_disponible/`),
    revoke: (id: string) => api.post<Station>(`${idPath(base, id)}revoquer/`),
    pairingRequests: () => api.get<PairingRequestPage>(requests, { pageSize: FULL_PAGE }),
    accept: (id: string, input: AcceptPairingInput) =>
      api.post<unknown>(`${idPath(requests, id)}accepter/`, input),
    refuse: (id: string) => api.post<unknown>(`${idPath(requests, id)}refuser/`),
  }
}

export function sessionsApi(api: ApiClient) {
  const base = '/api/sessions/'
  const inState = (state: SessionQuery['state']) =>
    everyPage((page) => api.get<SessionPage>(base, { state, page, pageSize: FULL_PAGE }))
  return {
    /** Every session that has not ended. */
    async current(): Promise<Session[]> {
      const lists = await Promise.all([inState('pending'), inState('active'), inState('suspended')])
      return lists.flat()
    },
    /** Those whose visitor lost minutes that nobody has given back. */
    withCredit: () => api.get<SessionPage>(base, { hasCredit: true, pageSize: FULL_PAGE }),
    giveCredit: (id: string) => api.post<Session>(`${idPath(base, id)}give_credit/`),
    read: (id: string) => api.get<Session>(idPath(base, id)),
    create: (input: SessionInput) => api.post<CreatedSession>(base, input),
    cancel: (id: string) => api.delete(idPath(base, id)),
    addTime: (id: string, minutes: number) => api.post<Session>(`${idPath(base, id)}add_time/`, { minutes }),
    suspend: (id: string) => api.post<Session>(`${idPath(base, id)}suspend/`),
    resume: (id: string) => api.post<Session>(`${idPath(base, id)}resume/`),
    terminate: (id: string) => api.post<Session>(`${idPath(base, id)}terminate/`),
  }
}

export function commandsApi(api: ApiClient) {
  const base = '/api/postes/'
  return {
    recent: () => api.get<StationCommandPage>(`${base}commands/`, { pageSize: FULL_PAGE }),
    send: (order: CommandInput, target: { stationId: string } | { location: string } | { all: true }) =>
      'stationId' in target
        ? api.post<SentCommands>(`${idPath(base, target.stationId)}commands/`, order)
        : api.post<SentCommands>(`${base}commands/`, { ...order, ...target }),
  }
}

export function callsApi(api: ApiClient) {
  const base = '/api/postes/appels/'
  return {
    all: () => everyPage((page) => api.get<StaffCallPage>(base, { page, pageSize: FULL_PAGE })),
    take: (id: string) => api.post<StaffCall>(`${idPath(base, id)}prendre/`),
    close: (id: string) => api.post<StaffCall>(`${idPath(base, id)}clore/`),
  }
}

export function accountsApi(api: ApiClient) {
  const base = '/api/comptes/'
  return {
    list: (query: AccountQuery) => api.get<AccountPage>(base, query),
    create: (input: AccountInput) => api.post<AccountWithSecret>(base, input),
    replace: (id: string, input: AccountReplacement) => api.put<Account>(idPath(base, id), input),
    renew: (id: string) => api.post<AccountWithSecret>(`${idPath(base, id)}renouveler/`),
    remove: (id: string) => api.delete(idPath(base, id)),
  }
}

export function blocksApi(api: ApiClient) {
  const base = '/api/parametres/blocages/'
  return {
    list: () => api.get<ThrottlePage>(base, { pageSize: FULL_PAGE }),
    lift: (id: string) => api.delete(idPath(base, id)),
  }
}

export function enrolmentKeyApi(api: ApiClient) {
  const base = '/api/parametres/cle_enrolement/'
  return {
    read: () => api.get<EnrolmentKey>(base),
    rotate: () => api.post<EnrolmentKey>(`${base}renouveler/`),
  }
}

export function logsApi(api: ApiClient) {
  return { list: (query: LogQuery) => api.get<LogPage>('/api/logs/', query) }
}
