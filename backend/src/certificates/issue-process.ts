import { issueAuthority, issueServerCertificate } from './issue.ts'
import type { IssueRequest, Issued } from './issue-apart.ts'

// Asked once by who started us, and gone with the answer.
process.once('message', (request: IssueRequest) => {
  void answer(request).then((issued) => process.send?.(issued, () => process.disconnect()))
})

async function answer({ authority: known, machine, names, nowMs }: IssueRequest): Promise<Issued> {
  const authority = known ?? (await issueAuthority(machine, nowMs))
  return { authority, server: await issueServerCertificate(authority, names, nowMs) }
}
