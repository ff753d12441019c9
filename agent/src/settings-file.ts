import { SettingsError } from './settings-error.ts'
import { readTextFile } from './text-file.ts'

/**
 * Reads the settings from a file with a JSON object. An absent file has no settings.
 * @throws SettingsError with the number of the broken line, or when the file is required and absent
 */
export function readSettingsFile(path: string, isRequired = false): Record<string, unknown> {
  const content = readTextFile(path)
  if (content === undefined && isRequired) {
    throw new SettingsError(
      `--config\u00a0: ${path} n’existe pas.`,
      `--config: ${path} does not exist.`,
      'file',
    )
  }
  if (content === undefined) return {}
  const value = parse(path, content)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new SettingsError(
    `${path} ne contient pas un objet JSON\u00a0: écrivez les réglages entre accolades, comme {"server": "https://serveur:3443"}.`,
    `${path} is not a JSON object: write the settings in braces, such as {"server": "https://server:3443"}.`,
    'file',
  )
}

function parse(path: string, content: string): unknown {
  try {
    return JSON.parse(content)
  } catch (err) {
    const line = brokenLineOf(content, String(err))
    throw new SettingsError(
      `${path} n’est pas du JSON, ligne ${line}\u00a0: vérifiez les guillemets droits, les virgules et les accolades sur cette ligne et la précédente\u202f; une barre oblique inverse s’écrit \\\\.`,
      `${path} is not JSON, line ${line}: check straight quotes, commas and braces on that line and the one before; a backslash is written \\\\.`,
      'file',
    )
  }
}

/** Node's message has the line of most errors. Otherwise it is the first line at which the text cannot be valid JSON. */
function brokenLineOf(content: string, message: string): number {
  const named = /\(line (\d+) column/.exec(message)?.[1]
  if (named !== undefined) return Number(named)
  const lines = content.split('\n')
  const broken = lines.findIndex((_, index) => !isBeginning(lines.slice(0, index + 1).join('\n')))
  return broken === -1 ? lines.length : broken + 1
}

function isBeginning(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (err) {
    return !String(err).endsWith('is not valid JSON')
  }
}
