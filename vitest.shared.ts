import { fileURLToPath } from 'node:url';
import { configDefaults, type ViteUserConfig } from 'vitest/config';
import { compileCache, findNode } from './scripts/node.mjs';

// Tests start our programs with the Node that they run on themselves.
if (findNode() !== process.execPath) {
  throw new Error(
    `Tests need Node 24, and this is ${process.version}. Run npx vitest, or npm test.`,
  );
}
process.env.NODE_COMPILE_CACHE ??= compileCache;
// Some programs that tests start are not in the PATH of users who are not root, or of anybody.
process.env.PATH += ':/usr/sbin:/sbin:/usr/lib/frr:/usr/lib/rancid/bin';

const hour = 3_600_000;

/**
 * The vitest configuration of a package, with a project for each tier of tests: `first` has the files `*.test.ts` but not `*.slow.test.ts`,
 * which are in `slow`.
 *
 * @param folders with tests, relative to the package
 */
export function packageTests({
  folders = ['src'],
  ...options
}: ViteUserConfig['test'] & { folders?: string[] } = {}): ViteUserConfig {
  const all = folders.map((folder) => `${folder}/**/*.test.{ts,mjs}`);
  const slow = folders.map((folder) => `${folder}/**/*.slow.test.{ts,mjs}`);
  const exclude = [...configDefaults.exclude, ...slow];
  return {
    test: {
      reporters: ['default', script('report-tests.mjs')],
      setupFiles: ['processor-time', 'patience', 'reasons'].map((name) =>
        script(`setup/${name}.mjs`),
      ),
      passWithNoTests: true,
      // turbo runs as many packages as there are cores, and half of the time tests wait.
      maxWorkers: 2,
      // Limits for what never ends: more than ten times what the slowest test, or wait, needs on an idle core.
      testTimeout: hour,
      hookTimeout: hour,
      expect: { poll: { timeout: hour / 4 } },
      // Test files share processes and load common imports once, which is half of the work for many small files.
      isolate: false,
      // Node runs the sources directly. Vite only transforms the tests.
      server: { deps: { external: [/\/(packages|services|test)\/[^/]+\/src\/(?!.*\.test\.ts$)/] } },
      projects: [
        { extends: true, test: { name: 'first', include: all, exclude } },
        { extends: true, test: { name: 'slow', include: slow } },
      ],
      ...options,
    },
  };
}

function script(path: string): string {
  return fileURLToPath(new URL(`./scripts/${path}`, import.meta.url));
}
