import type { Language } from '@escale/protocol'

/** All texts for visitors, in both languages, French first. */
export interface Texts {
  station: (id: string) => string
  language: string
  textSize: string
  contrast: string
  welcome: string
  howTo: string
  codeLabel: string
  codeHint: string
  open: string
  checking: string
  callStaff: string
  calling: string
  called: string
  callTaken: string
  callFailed: string
  terms: string
  hello: (name: string) => string
  timeLeft: string
  endsAt: (time: string) => string
  closesAt: (time: string) => string
  granted: (minutes: number) => string
  end: string
  endQuestion: string
  endConsequence: string
  endYes: string
  endNo: string
  ending: string
  warning: (seconds: number) => string
  warningLast: (seconds: number) => string
  suspended: string
  suspendedHow: string
  suspendedLimit: (minutes: number) => string
  maintenance: string
  maintenanceHow: string
  cleaning: string
  cleaningHow: string
  outOfOrder: string
  outOfOrderHow: string
  pairing: string
  pairingHow: string
  pairingCode: string
  pairingWait: string
  offlineLocked: string
  offlineActive: string
  cut: string
  goingDown: Record<'reboot' | 'shutdown', (seconds: number) => string>
  message: string
  dismiss: string
  refusals: Record<string, string>
  refusalOther: string
  retryIn: (seconds: number) => string
  retryNow: string
}

const duration = (seconds: number, minute: string, second: string) => {
  const isMinutes = seconds >= 60
  const count = isMinutes ? Math.round(seconds / 60) : seconds
  return `${count}\u00a0${isMinutes ? minute : second}${count > 1 ? 's' : ''}`
}
const fr = (seconds: number) => duration(seconds, 'minute', 'seconde')
const en = (seconds: number) => duration(seconds, 'minute', 'second')

const goingDownFr = (what: string, seconds: number) =>
  seconds > 0 ? `${what} dans ${fr(seconds)}. Enregistrez votre travail.` : `${what}…`
const goingDownEn = (what: string, seconds: number) =>
  seconds > 0 ? `${what} in ${en(seconds)}. Save your work.` : `${what}…`

export const texts: Record<Language, Texts> = {
  fr: {
    station: (id) => `Poste\u00a0${id}`,
    language: 'Langue',
    textSize: 'Taille du texte',
    contrast: 'Contraste renforcé',
    welcome: 'Bienvenue',
    howTo: 'Saisissez le code remis à l’accueil pour commencer votre session.',
    codeLabel: 'Votre code d’accès',
    codeHint: '8 lettres et chiffres, en majuscules ou en minuscules.',
    open: 'Commencer',
    checking: 'Vérification du code…',
    callStaff: 'Appeler l’accueil',
    calling: 'Appel de l’accueil…',
    called: 'L’accueil est prévenu.',
    callTaken: 'Quelqu’un arrive.',
    callFailed: 'L’appel n’a pas abouti. Adressez-vous directement à l’accueil.',
    terms: 'Conditions d’utilisation',
    hello: (name) => `Bonjour ${name}`.trim(),
    timeLeft: 'Temps restant',
    endsAt: (time) => `Fin de la session à ${time}`,
    closesAt: (time) => `Le site ferme à ${time}\u00a0: votre session se termine à ce moment.`,
    granted: (minutes) => `sur ${fr(minutes * 60)}`,
    end: 'Terminer ma session',
    endQuestion: 'Terminer votre session maintenant ?',
    endConsequence: 'Enregistrez d’abord votre travail. Le temps restant sera perdu.',
    endYes: 'Oui, terminer',
    endNo: 'Continuer ma session',
    ending: 'Fin de la session…',
    warning: (seconds) => `Il vous reste ${fr(seconds)}. Pensez à enregistrer votre travail.`,
    warningLast: (seconds) => `Plus que ${fr(seconds)}\u202f! Le poste va se verrouiller.`,
    suspended: 'Session suspendue',
    suspendedHow: 'Votre temps est arrêté. Adressez-vous à l’accueil pour reprendre.',
    suspendedLimit: (minutes) => `Sans reprise, la session se termine dans ${fr(minutes * 60)}.`,
    maintenance: 'Poste en maintenance',
    maintenanceHow: 'Choisissez un autre poste ou adressez-vous à l’accueil.',
    cleaning: 'Un instant…',
    cleaningHow: 'Le poste se prépare pour la prochaine personne.',
    outOfOrder: 'Ce poste a un problème',
    outOfOrderHow: 'Il réessaie tout seul. Choisissez un autre poste ou adressez-vous à l’accueil.',
    pairing: 'Nouveau poste',
    pairingHow: 'Acceptez ce poste dans l’administration d’Escale en comparant ce code.',
    pairingCode: 'Code d’appairage',
    pairingWait: 'Le poste se présente au serveur…',
    offlineLocked:
      'Le serveur ne répond pas ; aucun code ne peut être vérifié pour l’instant. Adressez-vous à l’accueil.',
    offlineActive: 'Le serveur ne répond pas ; votre session continue.',
    cut: 'L’écran a perdu le contact avec le poste. Il se reconnecte…',
    goingDown: {
      reboot: (seconds) => goingDownFr('Ce poste redémarre', seconds),
      shutdown: (seconds) => goingDownFr('Ce poste s’éteint', seconds),
    },
    message: 'Message de l’accueil',
    dismiss: 'J’ai lu',
    refusals: {
      'code-refused': 'Ce code n’est pas valable. Vérifiez-le ou adressez-vous à l’accueil.',
      'code-incomplete': 'Un code compte 8 lettres et chiffres, sans 0, 1, I, L ni O. Vérifiez votre saisie.',
      'code-throttled': 'Trop de codes incorrects ont été saisis sur ce poste.',
      'wrong-station': 'Ce code est prévu pour un autre poste. Demandez lequel à l’accueil.',
      'station-maintenance': 'Ce poste est en maintenance. Choisissez-en un autre.',
      'session-active': 'Vous avez déjà une session en cours sur un autre poste.',
      'session-ended': 'Cette session est terminée. Demandez un nouveau code à l’accueil.',
      'quota-reached': 'Vous avez atteint le nombre de sessions du jour.',
      'consent-missing': 'Il manque votre accord. Adressez-vous à l’accueil.',
      offline: 'Le serveur ne répond pas ; le code n’a pas pu être vérifié. Réessayez dans un instant.',
    },
    refusalOther: 'La session n’a pas pu commencer. Réessayez, puis adressez-vous à l’accueil.',
    retryIn: (seconds) => `Nouvel essai possible dans ${fr(seconds)}.`,
    retryNow: 'Vous pouvez de nouveau saisir un code.',
  },
  en: {
    station: (id) => `Station ${id}`,
    language: 'Language',
    textSize: 'Text size',
    contrast: 'High contrast',
    welcome: 'Welcome',
    howTo: 'Type the code given at the desk to start your session.',
    codeLabel: 'Your access code',
    codeHint: '8 letters and digits, upper or lower case.',
    open: 'Start',
    checking: 'Checking the code…',
    callStaff: 'Call staff',
    calling: 'Calling staff…',
    called: 'Staff have been told.',
    callTaken: 'Somebody is on the way.',
    callFailed: 'The call did not get through. Please go to the desk.',
    terms: 'Terms of use',
    hello: (name) => `Hello ${name}`.trim(),
    timeLeft: 'Time left',
    endsAt: (time) => `Session ends at ${time}`,
    closesAt: (time) => `The site closes at ${time}: your session ends then.`,
    granted: (minutes) => `of ${en(minutes * 60)}`,
    end: 'End my session',
    endQuestion: 'End your session now?',
    endConsequence: 'Save your work first. The time left will be lost.',
    endYes: 'Yes, end it',
    endNo: 'Keep my session',
    ending: 'Ending the session…',
    warning: (seconds) => `You have ${en(seconds)} left. Remember to save your work.`,
    warningLast: (seconds) => `Only ${en(seconds)} left! The station is about to lock.`,
    suspended: 'Session paused',
    suspendedHow: 'Your time has stopped. Ask at the desk to resume.',
    suspendedLimit: (minutes) => `If it is not resumed, the session ends in ${en(minutes * 60)}.`,
    maintenance: 'Station under maintenance',
    maintenanceHow: 'Choose another station or ask at the desk.',
    cleaning: 'One moment…',
    cleaningHow: 'The station is getting ready for the next person.',
    outOfOrder: 'This station has a problem',
    outOfOrderHow: 'It keeps trying by itself. Choose another station or ask at the desk.',
    pairing: 'New station',
    pairingHow: 'Accept this station in Escale’s administration after comparing this code.',
    pairingCode: 'Pairing code',
    pairingWait: 'The station is contacting the server…',
    offlineLocked: 'The server does not answer; no code can be checked for now. Please ask at the desk.',
    offlineActive: 'The server does not answer; your session goes on.',
    cut: 'The screen has lost the station. It is reconnecting…',
    goingDown: {
      reboot: (seconds) => goingDownEn('This station restarts', seconds),
      shutdown: (seconds) => goingDownEn('This station turns off', seconds),
    },
    message: 'Message from the desk',
    dismiss: 'I have read it',
    refusals: {
      'code-refused': 'This code is not valid. Check it or ask at the desk.',
      'code-incomplete': 'A code has 8 letters and digits, never 0, 1, I, L or O. Check what you typed.',
      'code-throttled': 'Too many wrong codes were typed at this station.',
      'wrong-station': 'This code is meant for another station. Ask at the desk which one.',
      'station-maintenance': 'This station is under maintenance. Choose another one.',
      'session-active': 'You already have a session in progress at another station.',
      'session-ended': 'This session is over. Ask for a new code at the desk.',
      'quota-reached': 'You have reached today’s number of sessions.',
      'consent-missing': 'Your consent is missing. Please ask at the desk.',
      offline: 'The server does not answer; the code could not be checked. Try again in a moment.',
    },
    refusalOther: 'The session could not start. Try again, then ask at the desk.',
    retryIn: (seconds) => `You can try again in ${en(seconds)}.`,
    retryNow: 'You can type a code again.',
  },
}
