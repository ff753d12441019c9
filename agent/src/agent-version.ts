/** Sent with presence and at enrolment. A test checks that it equals the version in package.json. */
export const AGENT_VERSION = '0.1.0'
