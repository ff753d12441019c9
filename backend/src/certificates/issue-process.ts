import { answerParent } from '../process-answer.ts'
import { issueAuthority, issueServerCertificate, type IssueRequest, type Issued } from './issue.ts'

answerParent(async ({ authority: known, machine, names, nowMs }: IssueRequest): Promise<Issued> => {
  const authority = known ?? (await issueAuthority(machine, nowMs))
  return { authority, server: await issueServerCertificate(authority, names, nowMs) }
})
