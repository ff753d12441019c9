import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common'
import { dictionary as english } from '@zxcvbn-ts/language-en'
import { dictionary as french } from '@zxcvbn-ts/language-fr'
import type { StrengthRequest } from './password-strength.ts'

// Answers one question of the process that started it, and ends.
process.once('message', ({ passwords, words }: StrengthRequest) => {
  const dictionary = { ...common, ...english, ...french }
  const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs })
  const scores = passwords.map((password) => zxcvbn.check(password, words).score)
  process.send?.(Math.min(...scores), () => process.disconnect())
})
