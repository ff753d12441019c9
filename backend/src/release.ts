import rootPackage from '../../package.json' with { type: 'json' }

/** The release of this program, as its package says. */
export const RELEASE = rootPackage.version
