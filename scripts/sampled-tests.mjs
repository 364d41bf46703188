/**
 * Decides which of the most expensive test files `npm test` leaves out: it runs a seventh of them, each day another one, and `npm
 * run test:long` all. They start containers, clusters and browsers, or try many variants. `npx vitest run FILE` runs any file.
 *
 * By day, not by chance, so that turbo's results stay valid. `SKOLO_SAMPLE=0` to `6` chooses a day.
 */

/**
 * Each takes about 150 s of CPU time on an idle computer, with the time of containers. Files that prove the same kind of thing about different
 * parts, such as kills, leaks of secrets and power cuts, are spread over the days. The tests of images are together, because they share the
 * build of all images, which takes 35 s.
 */
const days = [
  [
    'test/images/src/engine/images.test.ts',
    'test/images/src/engine/nodes.test.ts',
    'test/images/src/engine/rack.test.ts',
    'packages/cli/src/pi-cluster-blocks.test.ts',
    'packages/cli/src/secrets-page.test.ts',
    'packages/equipment/src/models/described/tables.test.ts',
    'packages/setup/src/cluster/kubeadm/kubeadm.test.ts',
    'services/alert-to-pubsub/src/damage.test.ts',
    'services/power-cycle-daemon/src/pdudaemon/protocols.test.ts',
    'services/router-backup/src/guesses.test.ts',
    'services/router-backup/src/read/every-model.test.ts',
    'services/swarming-client/src/bot/bot.kill.test.ts',
    'test/e2e/src/alert-memory.test.ts',
    'test/e2e/src/busy.test.ts',
  ],
  [
    'packages/cli/src/commands/check/equipment/equipment.test.ts',
    'packages/cli/src/workstation.test.ts',
    'packages/console/src/browser-layout.test.ts',
    'packages/equipment/src/models/frr/restore.test.ts',
    'packages/setup/src/jumphost/effective/facts.test.ts',
    'packages/setup/src/k3s/program/image-store-check.test.ts',
    'services/power-cycle-daemon/src/cycle/descriptions.test.ts',
    'services/router-backup/src/canary.test.ts',
    'services/router-backup/src/jumphost/archive-request.test.ts',
    'services/router-backup/src/jumphost/archive.test.ts',
    'services/swarming-client/src/devices/android-reported.test.ts',
    'test/e2e/src/cabling.test.ts',
    'test/e2e/src/hostile/neighbours.test.ts',
    'test/e2e/src/monitoring.test.ts',
  ],
  [
    'packages/cli/src/large-rack.test.ts',
    'packages/equipment/src/models/described/http-tables.test.ts',
    'packages/equipment/src/recordings/redaction.test.ts',
    'packages/setup/src/jumphost/steps/prepare.test.ts',
  ],
  [
    'packages/cli/src/alerts-live.test.ts',
    'packages/cli/src/jumphost.test.ts',
    'packages/cli/src/pi-setup.test.ts',
    'packages/console/src/browser.test.ts',
    'packages/equipment/src/models/frr/backup.test.ts',
    'packages/fleet/src/way/open-rack.test.ts',
    'packages/setup/src/jumphost/steps/active.test.ts',
    'services/fallback/src/push/abandoned.test.ts',
    'services/power-cycle-daemon/src/request/busy.test.ts',
    'services/router-backup/src/offsite/loss.test.ts',
    'services/router-backup/src/partial.test.ts',
    'services/swarming-client/src/bot/install.test.ts',
    'services/swarming-client/src/devices/ios.test.ts',
    'test/e2e/src/hostile/devices.test.ts',
    'test/images/src/bundle-runs.test.ts',
  ],
  [
    'packages/base/src/json/memory.test.ts',
    'packages/fleet/src/push/push.test.ts',
    'services/power-cycle-daemon/src/keep/hang.test.ts',
    'services/router-backup/src/runs/crash.test.ts',
    'services/swarming-client/src/agent.test.ts',
    'test/e2e/src/agent-in-a-rack.test.ts',
  ],
  [
    'packages/backup/src/offsite/git/mirror.test.ts',
    'packages/cli/src/emulate.test.ts',
    'packages/cli/src/live.test.ts',
    'packages/cli/src/secrets.test.ts',
    'packages/setup/src/jumphost/effective/cluster.test.ts',
    'packages/setup/src/k3s/program/image-store-settings.test.ts',
    'scripts/publish/publish.test.mjs',
    'services/alert-to-pubsub/src/rejections.test.ts',
    'services/alert-to-pubsub/src/watch/looks.test.ts',
    'services/power-cycle-daemon/src/cycle/kill.test.ts',
    'services/power-cycle-daemon/src/cycle/silent-readings.test.ts',
    'services/power-cycle-daemon/src/pdudaemon/real-clients.test.ts',
    'services/router-backup/src/kill.test.ts',
    'services/router-backup/src/offsite/copies.test.ts',
    'services/router-backup/src/texts.test.ts',
    'services/swarming-client/src/agent.bot.test.ts',
    'services/swarming-client/src/bot/bot.swarming.test.ts',
    'test/e2e/src/alert-rules.test.ts',
    'test/e2e/src/connections/hostile-neighbours.test.ts',
    'test/e2e/src/monitoring-alone.test.ts',
    'test/images/src/bundle.test.ts',
    'test/images/src/npm-package.test.ts',
  ],
  [
    'test/demo/src/demo.test.ts',
    'test/e2e/src/readers/readers.test.ts',
    'test/e2e/src/systemd-jumphost.test.ts',
    'test/kube/src/apply.test.ts',
  ],
];

/** All of them; paths from the root of the repository. */
export const sampledTests = days.flat();

/** The day of the week whose turn it is. */
export function sampleOfDay(now = Date.now()) {
  return String(Math.floor(now / 86_400_000) % days.length);
}

/**
 * Files that do not run on this day.
 * @param {string | undefined} sample `0` to `6`; undefined: all run
 */
export function leftOut(sample) {
  if (sample === undefined) return [];
  if (!/^[0-6]$/.test(sample)) throw new Error(`SKOLO_SAMPLE=${sample}: it is 0 to 6`);
  return days.filter((_, at) => String(at) !== sample).flat();
}
