/** Invented visitors. The same name may occur twice. */
const FIRST_NAMES = [
  'Zoé', 'Léo', 'Inès', 'Maël', 'Chloé', 'Noé', 'Éloïse', 'Théo', 'Anaïs', 'Loïc', 'Fatou', 'Karim', 'Océane',
  'Gaël', 'Hélène', 'Amadou', 'Françoise', 'Jérôme', 'Nadia', 'Yann', 'Salomé', 'Rémi', 'Aïcha', 'Benoît',
] // prettier-ignore
const LAST_NAMES = [
  'Lefèvre', 'Garnier', 'Benali', 'Le Goff', 'Moreau', 'Diallo', 'Péron', 'Château', 'Nguyen', 'Rousseau',
  'Da Silva', 'Fontaine', 'Müller', 'Traoré', 'Bouchard', 'Lemoine', 'Haddad', 'Roussel', 'Kervella', 'Aubry',
] // prettier-ignore
const TOWNS = ['Saint-Aubin', 'Le Bourg', 'Montreuil', 'La Chapelle', 'Villeneuve']
const OCCUPATIONS = ['Étudiante ou étudiant', 'En recherche d’emploi', 'Retraite', 'Salariat', 'Scolaire']

export type Random = () => number

export const pick = <T>(random: Random, from: readonly T[]): T =>
  from[Math.floor(random() * from.length)] as T

/** A visitor's record as an operator would type it. */
export function inventVisitor(random: Random) {
  const birthYear = 1945 + Math.floor(random() * 65)
  return {
    firstName: pick(random, FIRST_NAMES),
    lastName: pick(random, LAST_NAMES),
    municipality: pick(random, TOWNS),
    occupation: pick(random, OCCUPATIONS),
    birthDate: `${birthYear}-0${1 + Math.floor(random() * 9)}-1${Math.floor(random() * 9)}`,
    consentGiven: true,
  }
}
