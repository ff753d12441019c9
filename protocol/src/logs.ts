import { Type, type Static } from 'typebox'
import { EntityId, Instant, Seconds, StationId, closed, listQuery, oneOf, pageQuery } from './schema.ts'
import type { Bilingual } from './errors.ts'

/** Audited actions: dotted, past tense; and how people read them. */
export const logActionTitles = {
  'user.created': { fr: 'Visiteur inscrit', en: 'Visitor registered' },
  'user.updated': { fr: 'Fiche de visiteur modifiée', en: 'Visitor’s record changed' },
  'user.deleted': { fr: 'Visiteur supprimé', en: 'Visitor deleted' },
  'user.consent_revoked': { fr: 'Consentement retiré', en: 'Consent withdrawn' },
  'user.photo_changed': { fr: 'Photo modifiée', en: 'Photo changed' },
  'user.exported': { fr: 'Données exportées', en: 'Data exported' },
  'station.created': { fr: 'Poste ajouté', en: 'Station added' },
  'station.updated': { fr: 'Poste modifié', en: 'Station changed' },
  'station.deleted': { fr: 'Poste supprimé', en: 'Station deleted' },
  'station.online': { fr: 'Poste connecté', en: 'Station connected' },
  'station.offline': { fr: 'Poste hors ligne', en: 'Station offline' },
  'station.enrolled': { fr: 'Poste enrôlé', en: 'Station enrolled' },
  'station.secret_revoked': { fr: 'Secret d’un poste révoqué', en: 'Station secret revoked' },
  'station.boot_token_issued': { fr: 'Jeton de démarrage donné', en: 'Boot token issued' },
  'station.enrolment_requested': { fr: 'Demande de poste', en: 'Request of a station' },
  'station.enrolment_refused': { fr: 'Enrôlement refusé', en: 'Enrolment refused' },
  'station.pairing_accepted': { fr: 'Demande de poste acceptée', en: 'Request of a station accepted' },
  'station.pairing_refused': { fr: 'Demande de poste rejetée', en: 'Request of a station refused' },
  'station.fault_reported': { fr: 'Panne signalée par un poste', en: 'Fault reported by a station' },
  'station.cleaned': {
    fr: 'Traces d’une session effacées d’un poste',
    en: 'Traces of a session removed from a station',
  },
  'station.events_missed': { fr: 'Événements d’un poste perdus', en: 'Events of a station missed' },
  'station.messages_dropped': {
    fr: 'Messages d’un poste écartés, trop nombreux',
    en: 'Too many messages of a station dropped',
  },
  'station.conflict_found': {
    fr: 'Deux machines sous le nom d’un poste',
    en: 'Two machines under one station’s name',
  },
  'station.conflict_ended': {
    fr: 'De nouveau une seule machine sous le nom du poste',
    en: 'One machine again under the station’s name',
  },
  'station.staff_called': { fr: 'Appel à l’aide depuis un poste', en: 'Call for help from a station' },
  'station.call_taken': { fr: 'Appel à l’aide pris en charge', en: 'Call for help taken' },
  'station.call_closed': { fr: 'Appel à l’aide clos', en: 'Call for help closed' },
  'session.created': { fr: 'Session créée', en: 'Session created' },
  'session.updated': { fr: 'Session modifiée', en: 'Session changed' },
  'session.cancelled': { fr: 'Session annulée', en: 'Session cancelled' },
  'session.started': { fr: 'Session démarrée', en: 'Session started' },
  'session.time_added': { fr: 'Temps ajouté', en: 'Time added' },
  'session.suspended': { fr: 'Session suspendue', en: 'Session suspended' },
  'session.resumed': { fr: 'Session reprise', en: 'Session resumed' },
  'session.credit_noted': { fr: 'Minutes perdues constatées', en: 'Lost minutes noted' },
  'session.credit_given': { fr: 'Crédit donné', en: 'Credit given' },
  'session.terminated': { fr: 'Session terminée', en: 'Session ended' },
  'session.expired': { fr: 'Session arrivée à son terme', en: 'Session ran out' },
  'account.created': { fr: 'Compte créé', en: 'Account created' },
  'account.updated': { fr: 'Compte modifié', en: 'Account changed' },
  'account.secret_renewed': { fr: 'Secret d’un compte renouvelé', en: 'Account secret renewed' },
  'account.deleted': { fr: 'Compte supprimé', en: 'Account deleted' },
  'site_key.rotated': { fr: 'Clé d’enrôlement renouvelée', en: 'Enrolment key renewed' },
  'operator.created': { fr: 'Opérateur ajouté', en: 'Operator added' },
  'operator.updated': { fr: 'Opérateur modifié', en: 'Operator changed' },
  'settings.updated': { fr: 'Réglages modifiés', en: 'Settings changed' },
  'throttle.lifted': { fr: 'Blocage levé', en: 'Block lifted' },
  'job.ran': { fr: 'Tâche exécutée', en: 'Task run' },
  'auth.login_succeeded': { fr: 'Connexion réussie', en: 'Sign-in succeeded' },
  'auth.login_failed': { fr: 'Connexion refusée', en: 'Sign-in refused' },
  'auth.token_reused': { fr: 'Jeton déjà utilisé', en: 'Token used twice' },
  'auth.signed_out': { fr: 'Déconnexion', en: 'Signed out' },
  'code.rejected': { fr: 'Code refusé', en: 'Code refused' },
  'command.sent': { fr: 'Commande envoyée', en: 'Command sent' },
  'command.applied': { fr: 'Commande exécutée', en: 'Command carried out' },
  'command.failed': { fr: 'Échec d’une commande', en: 'Command failed' },
  'command.expired': { fr: 'Commande restée sans réponse', en: 'Command not answered in time' },
} satisfies Record<string, Bilingual>

export type LogAction = keyof typeof logActionTitles
export const logActions = Object.keys(logActionTitles) as LogAction[]

export const logLevels = ['info', 'warning', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export const Actor = closed({
  type: oneOf(['operator', 'station', 'account', 'system'] as const),
  id: Type.String(),
  label: Type.String(),
})
export type Actor = Static<typeof Actor>

/** One audit record, with ids but without names and codes; chained by hash. */
export const Log = closed({
  id: Type.Integer({ minimum: 1 }),
  at: Instant,
  action: oneOf(logActions),
  level: oneOf(logLevels),
  actor: Actor,
  stationId: Type.Optional(Type.String()),
  sessionId: Type.Optional(Type.String()),
  userId: Type.Optional(Type.String()),
  ip: Type.Optional(Type.String()),
  details: Type.Record(Type.String(), Type.Unknown()),
  prevHash: Type.String(),
  hash: Type.String(),
})
export type Log = Static<typeof Log>

const logFilters = {
  action: Type.Optional(oneOf(logActions)),
  level: Type.Optional(oneOf(logLevels)),
  actor: Type.Optional(Type.String({ maxLength: 100 })),
  stationId: Type.Optional(StationId),
  sessionId: Type.Optional(EntityId),
  userId: Type.Optional(EntityId),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
}

/** The newest record to list. `next` and `previous` carry it, so that new records do not move rows between pages. */
const upToId = Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))

/** Which page of a search in the journal. */
export const LogPageQuery = closed({ ...pageQuery, upToId })
export type LogPageQuery = Static<typeof LogPageQuery>

export const LogQuery = closed({
  ...listQuery,
  upToId,
  ...logFilters,
  ip: Type.Optional(Type.String({ maxLength: 64 })),
})
export type LogQuery = Static<typeof LogQuery>

export const LogSearchInput = closed({ text: Type.Optional(Type.String({ maxLength: 200 })), ...logFilters })
export type LogSearchInput = Static<typeof LogSearchInput>

export const LogStats = closed({
  total: Seconds,
  today: Seconds,
  byLevel: Type.Record(Type.String(), Seconds),
  byAction: Type.Record(Type.String(), Seconds),
})
export type LogStats = Static<typeof LogStats>
