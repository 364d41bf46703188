/** Installs Debian packages with apt, with time limits. */
import { script, shellWord } from '@skolo/base';
import type { Host, Step } from '@skolo/setup/engine';

export const installDeadlineMs = 1_800_000;
/** A shell function, `apt_get ARGUMENT…`, that ends as apt-get does. */
export const aptFunction = script(new URL('./apt.sh', import.meta.url));

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
      const missing = await missingOf(host, names);
      await host.need(aptScript('install', '--no-install-recommends', ...missing), {
        deadlineMs: installDeadlineMs,
      });
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

/** Runs apt-get with these arguments. */
export function aptScript(...words: readonly string[]): string {
  return `${aptFunction}apt_get ${words.map(shellWord).join(' ')}`;
}
