import { Type, type Static } from 'typebox'
import { closed, oneOf } from './schema.ts'

/** A message in both languages that people read; French first. */
export interface Bilingual {
  fr: string
  en: string
}

interface ErrorEntry {
  /** HTTP status of the answer. */
  status: number
  title: Bilingual
  /** Whether the same call may succeed later without being changed. */
  retryable: boolean
}

const entry = (status: number, fr: string, en: string, retryable = false): ErrorEntry => ({
  status,
  title: { fr, en },
  retryable,
})

/** Every error that crosses a boundary: REST, WebSocket and MQTT carry the same codes. */
export const errorTable = {
  'malformed-json': entry(
    400,
    'Le corps de la requête n’est pas du JSON valide.',
    'The request body is not valid JSON.',
  ),
  'malformed-request': entry(400, 'La requête n’est pas du HTTP valable.', 'The request is not valid HTTP.'),
  'request-timeout': entry(
    408,
    'La requête n’est pas arrivée entière à temps.',
    'The request did not arrive whole in time.',
    true,
  ),
  'headers-too-large': entry(
    431,
    'Les en-têtes de la requête sont trop longs.',
    'The headers of the request are too long.',
  ),
  'invalid-query': entry(
    400,
    'Un paramètre de l’adresse n’est pas valable.',
    'A parameter of the address is not valid.',
  ),
  'invalid-body': entry(422, 'Le contenu envoyé ne convient pas.', 'The content sent does not fit.'),
  'unknown-field': entry(422, 'Un champ envoyé n’existe pas.', 'A field sent does not exist.'),
  'body-too-large': entry(413, 'Le contenu envoyé est trop volumineux.', 'The content sent is too large.'),
  'unsupported-media-type': entry(
    415,
    'Envoyez du JSON (application/json).',
    'Send JSON (application/json).',
  ),
  unauthenticated: entry(401, 'Connectez-vous pour continuer.', 'Sign in to continue.'),
  'login-failed': entry(401, 'Identifiant ou mot de passe incorrect.', 'Wrong username or password.'),
  'login-throttled': entry(
    429,
    'Trop d’essais de connexion. Patientez avant de réessayer.',
    'Too many sign-in attempts. Wait before trying again.',
    true,
  ),
  'wrong-password': entry(
    422,
    'Le mot de passe actuel n’est pas le bon.',
    'The current password is not the right one.',
  ),
  'weak-password': entry(
    422,
    'Ce mot de passe est trop facile à deviner.',
    'This password is too easy to guess.',
  ),
  forbidden: entry(403, 'Votre rôle ne permet pas cette action.', 'Your role does not allow this.'),
  'not-found': entry(404, 'Introuvable.', 'Not found.'),
  'method-not-allowed': entry(
    405,
    'Cette méthode n’est pas possible ici.',
    'This method is not possible here.',
  ),
  duplicate: entry(409, 'Cette valeur est déjà utilisée.', 'This value is already in use.'),
  'version-conflict': entry(
    412,
    'La fiche a changé entre-temps. Rechargez-la.',
    'The record has changed meanwhile. Load it again.',
    true,
  ),
  'use-revoke-consent': entry(
    422,
    'Pour retirer un consentement, utilisez l’action prévue.',
    'To withdraw consent, use the action made for it.',
  ),
  'consent-missing': entry(
    409,
    'Le consentement de ce visiteur manque.',
    'This visitor’s consent is missing.',
  ),
  'quota-reached': entry(
    409,
    'Le nombre de sessions du jour est atteint.',
    'Today’s number of sessions is reached.',
  ),
  'anonymous-not-allowed': entry(
    409,
    'Les passages anonymes ne sont pas permis ici.',
    'Anonymous passes are not allowed here.',
  ),
  'call-taken': entry(409, 'Cet appel est déjà pris.', 'This call is taken already.'),
  'session-active': entry(409, 'Une session est en cours.', 'A session is in progress.'),
  'session-not-pending': entry(
    409,
    'Cette session a déjà commencé ou est terminée.',
    'This session has already started or is over.',
  ),
  'session-not-active': entry(409, 'Cette session n’est pas en cours.', 'This session is not in progress.'),
  'session-not-suspended': entry(409, 'Cette session n’est pas suspendue.', 'This session is not suspended.'),
  'session-ended': entry(409, 'Cette session est terminée.', 'This session is over.'),
  'no-credit': entry(409, 'Cette session n’a pas de crédit à donner.', 'This session has no credit to give.'),
  'no-session-for-credit': entry(
    409,
    'Ce visiteur n’a pas de session\u00a0: créez-en une, puis donnez-lui le crédit.',
    'This visitor has no session: create one, then give it the credit.',
  ),
  'no-active-session': entry(
    404,
    'Aucune session en cours sur ce poste.',
    'No session in progress at this station.',
  ),
  'station-maintenance': entry(409, 'Ce poste est en maintenance.', 'This station is under maintenance.'),
  'station-required': entry(
    422,
    'Choisissez un poste pour démarrer cette session.',
    'Choose a station to start this session.',
  ),
  'code-refused': entry(
    404,
    'Ce code n’est pas valable. Vérifiez-le ou adressez-vous à l’accueil.',
    'This code is not valid. Check it or ask at the desk.',
  ),
  'code-not-validated': entry(
    409,
    'Saisissez d’abord le code sur ce poste.',
    'Type the code at this station first.',
  ),
  'wrong-station': entry(
    409,
    'Ce code est prévu pour un autre poste.',
    'This code is meant for another station.',
  ),
  'code-throttled': entry(
    429,
    'Trop de codes incorrects. Patientez avant de réessayer.',
    'Too many wrong codes. Wait before trying again.',
    true,
  ),
  'wrong-address': entry(
    403,
    'Ce poste n’appelle pas depuis son adresse.',
    'This station does not call from its address.',
  ),
  'enrolment-refused': entry(
    403,
    'Enrôlement refusé. Vérifiez la clé du site.',
    'Enrolment refused. Check the site key.',
  ),
  'enrolment-throttled': entry(
    429,
    'Trop de clés incorrectes depuis cette adresse. Patientez avant de réessayer.',
    'Too many wrong keys from this address. Wait before trying again.',
    true,
  ),
  'station-throttled': entry(
    429,
    'Ce poste envoie trop de messages. Patientez avant de réessayer.',
    'This station sends too many messages. Wait before trying again.',
    true,
  ),
  'station-conflict': entry(
    409,
    'Deux machines se présentent sous le nom de ce poste\u00a0: éteignez celle qui n’est pas la bonne.',
    'Two machines present themselves as this station: turn off the one that is not it.',
    true,
  ),
  'station-online': entry(
    409,
    'Ce poste est en ligne. Un jeton de démarrage n’est donné qu’à un poste éteint.',
    'This station is online. A boot token is given only to a station that is off.',
    true,
  ),
  'station-revoked': entry(
    409,
    'Le secret de ce poste a été révoqué\u00a0: acceptez d’abord le poste à nouveau, sur la page des postes.',
    'The secret of this station was revoked: first accept the station again, on the page of stations.',
  ),
  'pairing-full': entry(
    429,
    'Trop de postes attendent déjà une acceptation.',
    'Too many stations already wait to be accepted.',
    true,
  ),
  'site-closed': entry(409, 'Le site est fermé à cette heure.', 'The site is closed at this hour.'),
  'last-admin': entry(
    409,
    'Il doit rester au moins un administrateur en activité.',
    'At least one active administrator must remain.',
  ),
  'photo-format': entry(415, 'Choisissez une photo JPEG ou PNG.', 'Choose a JPEG or PNG photo.'),
  'photo-too-large': entry(
    413,
    'La photo dépasse 5 Mo. Réduisez-la.',
    'The photo exceeds 5 MB. Make it smaller.',
  ),
  'photo-too-many-pixels': entry(
    422,
    'La photo dépasse 25 millions de pixels. Réduisez-la.',
    'The photo exceeds 25 million pixels. Make it smaller.',
  ),
  'photo-unreadable': entry(
    422,
    'La photo est abîmée ou incomplète. Choisissez-en une autre.',
    'The photo is damaged or incomplete. Choose another.',
  ),
  'not-cancellable': entry(
    409,
    'Cette commande est déjà terminée ou ne peut pas être annulée.',
    'This command is over already, or cannot be cancelled.',
  ),
  'update-unavailable': entry(
    409,
    'La mise à jour à distance n’existe pas encore\u00a0: installez la nouvelle version sur le poste.',
    'Remote updates do not exist yet: install the new version at the station.',
  ),
  'mac-address-missing': entry(
    409,
    'L’adresse MAC de ce poste manque\u00a0: ajoutez-la d’abord à sa fiche.',
    'This station’s MAC address is missing: add it to its record first.',
  ),
  'unknown-op': entry(404, 'Opération inconnue.', 'Unknown operation.'),
  'id-reused': entry(
    409,
    'Cet identifiant a déjà servi pour une autre demande.',
    'This id was already used for another request.',
  ),
  'topic-forbidden': entry(
    403,
    'Ce compte ne peut pas publier sur ce sujet MQTT.',
    'This account may not publish on this MQTT topic.',
  ),
  'subprotocol-required': entry(
    426,
    'Demandez le sous-protocole escale.v1.',
    'Ask for the subprotocol escale.v1.',
  ),
  unavailable: entry(
    503,
    'Le service redémarre. Réessayez dans un instant.',
    'The service is restarting. Try again in a moment.',
    true,
  ),
  'storage-unavailable': entry(
    503,
    'Rien ne peut être enregistré pour l’instant. Prévenez qui s’occupe du serveur\u202f; ce qui est enregistré reste.',
    'Nothing can be stored now. Tell whoever looks after the server; what is stored stays.',
    true,
  ),
  internal: entry(
    500,
    'Erreur interne. Elle est consignée\u202f; réessayez, puis prévenez le support.',
    'Internal error. It is logged; try again, then tell support.',
    true,
  ),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorTable

export type Language = keyof Bilingual

/** What an error answer says, in the reader's language. */
export function errorTitle(code: ErrorCode, language: Language): string {
  return errorTable[code].title[language]
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorTable, text)
}

/** RFC 9457 problem details, as every error answer carries them. */
export const Problem = closed({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String(),
  instance: Type.String(),
  code: oneOf(Object.keys(errorTable) as ErrorCode[]),
  errors: Type.Optional(
    /** What is wrong with each field; the pointer is RFC 6901's, empty for the whole body. */
    Type.Array(closed({ pointer: Type.String(), message: Type.String() })),
  ),
})
export type Problem = Static<typeof Problem>
