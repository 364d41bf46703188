import manifest from '../../package.json' with { type: 'json' };

/** The version of skolo. `npm run bundle -- --version V` writes V into the bundle, instead of the version in package.json. */
export const ownVersion: string = manifest.version;
