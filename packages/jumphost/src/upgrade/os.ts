/** All Debian updates, and the reboot that they require. */
import { aptScript, fewOf, installDeadlineMs, linesOf, type Step } from '@skolo/computers';

const lists = '/var/lib/apt/lists';

/** Upgrades all packages within the Debian release. Only security updates are installed automatically. */
export function osPackagesStep(): Step {
  return {
    name: 'os-packages',
    about: 'all packages are up to date',
    async check(host) {
      // Package lists are not settings, so even a check fetches them.
      const text = await host.need(
        `export LC_ALL=C.UTF-8
apt-get -q -y update > /dev/null 2>&1 < /dev/null || echo "package lists cannot be downloaded; the current ones are from $(date -u -r ${lists} +%F)"
apt-get -s -o Debug::NoLocking=true full-upgrade | sed -n 's/^Inst \\([^ ]*\\).*/Inst \\1/p'`,
        { deadlineMs: installDeadlineMs },
      );
      const lines = linesOf(text);
      const names = lines.flatMap((line) => /^Inst (.+)$/.exec(line)?.[1] ?? []);
      const note = lines.filter((line) => !line.startsWith('Inst ')).join('; ');
      return { differs: names.length === 0 ? [] : [`outdated: ${fewOf(names)}`], note };
    },
    async apply(host) {
      await host.need(aptScript('full-upgrade'), { deadlineMs: installDeadlineMs });
    },
  };
}

/** @param reboot waits until nothing prevents it, and until all services are ready again */
export function osRebootStep(reboot: () => Promise<void>): Step {
  return {
    name: 'os-reboot',
    about: 'no updated package requires a reboot',
    async check(host) {
      const text = await host.need(
        `[ ! -e /run/reboot-required ] || sort -u /run/reboot-required.pkgs 2>/dev/null || echo unknown`,
      );
      const names = linesOf(text);
      return { differs: names.length === 0 ? [] : [`required by ${names.join(', ')}`] };
    },
    apply: reboot,
  };
}
