import manifest from '../../package.json' with { type: 'json' }

/** In a build, scripts/build adds the commit where this is not the tagged version. */
export const VERSION: string = manifest.version
