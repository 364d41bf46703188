/** Installs Debian packages with apt, with time limits. */
import { shellWord } from '@skolo/base';
import type { Host, Step } from '@skolo/setup/engine';

export const installDeadlineMs = 1_800_000;
/** Time limit for another apt, because Debian updates itself when it first boots. */
const lockSeconds = 300;
/** Time limit for a package source and a name server. Without internet, apt waits minutes for each by default. */
const patience = '-o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10';

export function packagesStep(names: readonly string[]): Step {
  return {
    name: 'packages',
    about: names.join(', '),
    waitsFor: 'apt and its package sources',
    async check(host) {
      const missing = await missingOf(host, names);
      return { differs: missing.length === 0 ? [] : [`not installed: ${missing.join(', ')}`] };
    },
    async apply(host) {
      const missing = (await missingOf(host, names)).map(shellWord).join(' ');
      const script = aptScript(`install --no-install-recommends ${missing}`);
      await host.need(script, { deadlineMs: installDeadlineMs });
    },
  };
}

async function missingOf(host: Host, names: readonly string[]): Promise<string[]> {
  const { stdout } = await host.run(
    `dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' ${names.map(shellWord).join(' ')} 2>/dev/null`,
  );
  const installed = new Set(
    stdout.split('\n').flatMap((line) => line.match(/^(\S+) installed$/)?.[1] ?? []),
  );
  return names.filter((name) => !installed.has(name));
}

/**
 * Runs apt with these arguments. It continues if the connection drops, so that dpkg is never interrupted, and a second one
 * waits for it. It does not fail if package lists cannot be fetched, because packages may be on the disk. If no source responds,
 * nothing is fetched, because each attempt would wait again.
 */
export function aptScript(args: string): string {
  return `set -u
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 RES_OPTIONS='timeout:3 attempts:1'
exec 9> /run/skolo-apt.lock
flock -w ${lockSeconds} 9 || { echo 'another skolo command is installing packages; try again when it has finished' >&2; exit 1; }
apt() {
  left=${lockSeconds}
  while :; do
    apt-get -q -y -o DPkg::Lock::Timeout=${lockSeconds} -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" > /run/skolo-apt.log 2>&1 < /dev/null && return
    grep -q 'Could not get lock' /run/skolo-apt.log && [ "$left" -gt 0 ] || return 1
    left=$((left - 5)); sleep 5
  done
}
# Finishes an installation that a power cut interrupted. As in apt, edited configuration files stay.
dpkg --force-confdef --force-confold --configure -a > /run/skolo-apt.log 2>&1 < /dev/null || { tail -n 3 /run/skolo-apt.log >&2; exit 1; }
apt ${patience} update || true
offline=
grep -qE '^(Get|Hit):' /run/skolo-apt.log || offline=$(sed -n 's/^[WE]: //p' /run/skolo-apt.log | head -n 1)
apt \${offline:+--no-download} ${args} && exit
[ -z "$offline" ] || { echo "package sources did not respond ($offline); check the internet connection" >&2; exit 1; }
# The errors of dpkg come before the summary of apt.
{ grep -E '^([EW]: |dpkg: error)|No space left' /run/skolo-apt.log || cat /run/skolo-apt.log; } | tail -n 3 >&2
exit 1`;
}
