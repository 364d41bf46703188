/**
 * Decides which of the most expensive test files `npm test` leaves out: it runs a third of them, each day another one, and `npm run
 * test:long` all. They start containers, clusters and browsers, or try many variants. `npx vitest run FILE` runs any file.
 *
 * By day, not by chance, so that turbo's results stay valid. `SKOLO_SAMPLE=0`, `1` or `2` chooses a third.
 */

/**
 * Each takes about 145 s of CPU time on an idle computer, measured with /proc/stat: `.test-results.json` lacks the time of containers. The
 * tests of images are in one third, because they share the build of all images, which takes 35 s.
 */
const thirds = [
  [
    'test/images/src/engine/images.test.ts',
    'test/images/src/engine/nodes.test.ts',
    'test/images/src/engine/rack.test.ts',
    'packages/cli/src/workstation.test.ts',
    'test/e2e/src/systemd-jumphost.test.ts',
    'packages/setup/src/k3s/program/image-store-check.test.ts',
    'packages/cli/src/pi-setup.test.ts',
    'packages/fleet/src/way/open-rack.test.ts',
    'packages/backup/src/offsite/git/mirror.test.ts',
    'services/alert-to-pubsub/src/damage.test.ts',
    'services/router-backup/src/guesses.test.ts',
    'services/swarming-client/src/bot/bot.swarming.test.ts',
  ],
  [
    'packages/setup/src/jumphost/steps/prepare.test.ts',
    'packages/fleet/src/push/push.test.ts',
    'test/kube/src/apply.test.ts',
    'packages/console/src/browser.test.ts',
    'services/fallback/src/push/abandoned.test.ts',
    'test/e2e/src/monitoring.test.ts',
    'packages/cli/src/alerts-live.test.ts',
    'services/router-backup/src/offsite/loss.test.ts',
  ],
  [
    'test/demo/src/demo.test.ts',
    'packages/console/src/browser-layout.test.ts',
    'test/e2e/src/hostile/devices.test.ts',
    'packages/cli/src/jumphost.test.ts',
    'packages/equipment/src/models/frr/restore.test.ts',
    'packages/setup/src/jumphost/steps/active.test.ts',
    'test/e2e/src/hostile/neighbours.test.ts',
    'test/images/src/bundle-runs.test.ts',
    'services/router-backup/src/canary.test.ts',
    'packages/cli/src/secrets.test.ts',
    'services/alert-to-pubsub/src/watch/looks.test.ts',
    'test/e2e/src/alert-rules.test.ts',
    'packages/setup/src/k3s/program/image-store-settings.test.ts',
    'services/router-backup/src/offsite/copies.test.ts',
    'test/e2e/src/connections/hostile-neighbours.test.ts',
    'test/images/src/bundle.test.ts',
    'services/alert-to-pubsub/src/rejections.test.ts',
    'test/images/src/npm-package.test.ts',
  ],
];

/** All of them; paths from the root of the repository. */
export const sampledTests = thirds.flat();

/** The third whose turn it is. */
export function sampleOfDay(now = Date.now()) {
  return String(Math.floor(now / 86_400_000) % 3);
}

/**
 * Files that are not in this third.
 * @param {string | undefined} sample `0`, `1`, `2`; undefined: all run
 */
export function leftOut(sample) {
  if (sample === undefined) return [];
  if (!/^[012]$/.test(sample)) throw new Error(`SKOLO_SAMPLE=${sample}: it is 0, 1 or 2`);
  return thirds.filter((_, at) => String(at) !== sample).flat();
}
