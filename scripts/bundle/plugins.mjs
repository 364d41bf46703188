/** What esbuild needs to be told about packages that bring native code. */

/**
 * classic-level looks for its library in the folder of its package. Bundled, it takes that of its platform from
 * /opt/skolo/native, three levels above `dist`; there is one for all that is installed.
 *
 * @type {import('esbuild').Plugin}
 */
export const nativeLibrary = {
  name: 'native-library',
  setup(build) {
    build.onLoad({ filter: /[/\\]classic-level[/\\]binding\.js$/ }, () => ({
      contents: `
        const { join } = require('node:path');
        const platform = process.platform + '-' + process.arch;
        module.exports = require(join(__dirname, '../../../native', platform, 'classic-level.node'));
      `,
    }));
  },
};

/**
 * ssh2 does without: Node's own cryptography, and no look at what the processor can do best. It tries both, and catches.
 *
 * @type {import('esbuild').Plugin}
 */
export const leftOut = {
  name: 'left-out',
  setup(build) {
    build.onResolve({ filter: /^cpu-features$|\/sshcrypto\.node$/ }, ({ path }) => ({
      path,
      namespace: 'left-out',
    }));
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in the bundle`)});`,
    }));
  },
};
