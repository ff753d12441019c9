import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common'
import { dictionary as english } from '@zxcvbn-ts/language-en'
import { dictionary as french } from '@zxcvbn-ts/language-fr'
import { answerParent } from '../../process-answer.ts'
import type { StrengthRequest } from './password-strength.ts'

answerParent(({ passwords, words }: StrengthRequest) => {
  const dictionary = { ...common, ...english, ...french }
  const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs })
  return Math.min(...passwords.map((password) => zxcvbn.check(password, words).score))
})
