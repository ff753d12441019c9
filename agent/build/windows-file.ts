import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

interface Language {
  lang: number
  codepage: number
}

interface VersionInfo {
  getAllLanguagesForStringValues: () => Language[]
  setFileVersion: (version: string, lang: number) => void
  setProductVersion: (version: string, lang: number) => void
  setStringValues: (language: Language, values: Record<string, string>) => void
  outputToResourceEntries: (entries: unknown[]) => void
}

interface WindowsProgram {
  generate: () => ArrayBuffer
}

interface Resources {
  entries: unknown[]
  outputResource: (program: WindowsProgram) => void
}

/** What we use of resedit. Its own types would bring those of a browser into all code of the project. */
interface Resedit {
  NtExecutable: { from: (bytes: Uint8Array, options: { ignoreCert: boolean }) => WindowsProgram }
  NtExecutableResource: { from: (program: WindowsProgram) => Resources }
  Resource: { VersionInfo: { fromEntries: (entries: unknown[]) => VersionInfo[] } }
}

const require = createRequire(import.meta.url)

/**
 * Makes a binary for Windows say what it is: Explorer, Task Manager and installers read name and version from it. The
 * signature of Node is removed, because it no longer matches the file, and the file could not be signed again with it.
 */
export async function describeWindowsFile(path: string, version: string): Promise<void> {
  const { NtExecutable, NtExecutableResource, Resource } = require('resedit') as Resedit
  const file = NtExecutable.from(await readFile(path), { ignoreCert: true })
  const resources = NtExecutableResource.from(file)
  const [info] = Resource.VersionInfo.fromEntries(resources.entries)
  const [language] = info?.getAllLanguagesForStringValues() ?? []
  if (info === undefined || language === undefined) throw new Error(`${path} has no version information`)
  info.setFileVersion(version, language.lang)
  info.setProductVersion(version, language.lang)
  info.setStringValues(language, {
    CompanyName: 'Escale',
    ProductName: 'Escale',
    FileDescription: 'Escale agent',
    FileVersion: version,
    ProductVersion: version,
    InternalName: 'escale-agent',
    OriginalFilename: 'escale-agent.exe',
    LegalCopyright: 'MIT license. Contains Node.js, copyright Node.js contributors.',
  })
  info.outputToResourceEntries(resources.entries)
  resources.outputResource(file)
  await writeFile(path, new Uint8Array(file.generate()))
}
