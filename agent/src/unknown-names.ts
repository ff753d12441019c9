import { nearestName, type Bilingual } from '@escale/protocol'
import { ENVIRONMENT_PREFIX, flagNames, nameOf, variableOf, type Flag } from './flags.ts'
import { KERNEL_PREFIX, parameterOf, TOKEN } from './kernel-command-line.ts'

/** Where a file has its settings from is no setting of the file. */
const namesInFile = flagNames.filter((flag) => flag !== 'config')

/** A warning for each name that sets nothing, in the environment, the kernel's parameters and agent.json. */
export function warnOfUnknownNames(
  env: Record<string, string | undefined>,
  parameters: readonly string[],
  file: Record<string, unknown>,
): Bilingual[] {
  const isForTheAgent = (variable: string) => variable.toUpperCase().startsWith(ENVIRONMENT_PREFIX)
  const variables = Object.keys(env).filter(isForTheAgent)
  return [
    ...unknownNames(variables, (name) => name.slice(ENVIRONMENT_PREFIX.length), named(flagNames, variableOf)),
    ...unknownNames(parameters, (name) => name.slice(KERNEL_PREFIX.length), {
      ...named(flagNames, parameterOf),
      token: TOKEN,
    }),
    ...unknownNames(Object.keys(file), (name) => name, named(namesInFile, nameOf)),
  ].map(warning)
}

interface UnknownName {
  given: string
  meant?: string
}

/** Each setting's name in one source, by its flag. */
const named = (names: readonly Flag[], shown: (flag: Flag) => string) =>
  Object.fromEntries(names.map((flag) => [flag, shown(flag)]))

function unknownNames(
  given: readonly string[],
  bare: (name: string) => string,
  shown: Record<string, string>,
): UnknownName[] {
  const known = Object.values(shown)
  const isWindowsName = (name: string) => name !== name.toUpperCase() && known.includes(name.toUpperCase())
  return given
    .filter((name) => !known.includes(name) && !isWindowsName(name))
    .map((name) => {
      const near = nearestName(bare(name), Object.keys(shown))
      return near === undefined ? { given: name } : { given: name, meant: shown[near] }
    })
}

const warning = ({ given, meant }: UnknownName): Bilingual => ({
  fr: `${given} ne règle rien${meant === undefined ? '' : `\u00a0: vouliez-vous dire ${meant}\u202f?`}`,
  en: `${given} sets nothing${meant === undefined ? '' : `: did you mean ${meant}?`}`,
})
