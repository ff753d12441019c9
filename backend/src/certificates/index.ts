export { openCertificates, type Certificates } from './certificates.ts'
export { createCertificateFolder, daysLeft, RENEW_BEFORE_DAYS, type CertificateFolder } from './folder.ts'
export { namesOfMachine, isValidFor } from './names.ts'
export {
  certificatesIn,
  expiryMsOf,
  fingerprintOf,
  isOwnIssuer,
  keyIn,
  type ServerCertificate,
} from './pem.ts'
export { checkSiteOwn } from './site-own.ts'
