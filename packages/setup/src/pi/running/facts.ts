/** Facts about a running Raspberry Pi (model, both architectures, system), and whether it can be set up: free space, clock. */
import { script } from '@skolo/base';
import { ComputerError, factsIn, type Host, type Step } from '@skolo/setup/engine';
import { z } from 'zod';

const Facts = z.object({
  model: z.string(),
  kernel: z.string(),
  userland: z.string(),
  init: z.string(),
  family: z.string(),
  system: z.string(),
  memoryKib: z.coerce.number(),
  freeKib: z.coerce.number(),
  time: z.coerce.number(),
  isTimeKnown: z.enum(['yes', 'no']),
});

type PiFacts = z.infer<typeof Facts>;

/** @throws ComputerError */
async function readFacts(host: Host): Promise<PiFacts> {
  const text = await host.need(script(new URL('./facts.sh', import.meta.url)));
  return Facts.parse(factsIn(text));
}

/** A 64-bit kernel may run 32-bit programs, as Raspberry Pi OS does on newer models. */
export function factsText({ model, kernel, userland, system, memoryKib }: PiFacts): string {
  const hasMixed = userland === 'armhf' && kernel === 'aarch64';
  return [
    model || 'not a Raspberry Pi',
    `${(memoryKib / 1024 / 1024).toFixed(1)} GiB`,
    `${userland || kernel}${hasMixed ? ' on a 64-bit kernel' : ''}`,
    system.replace(/^(Debian|Raspbian) GNU\/Linux/, '$1'),
  ].join(', ');
}

/** For a setup's files and the packages that it may require. */
const leastFreeKib = 64 * 1024;

export function systemStep(): Step {
  return {
    name: 'system',
    about: 'Raspberry Pi OS, Debian or Ubuntu with systemd, and enough disk space',
    async check(host) {
      const facts = await readFacts(host);
      const { family, init, freeKib, system } = facts;
      const differs: string[] = [];
      if (!/\b(debian|raspbian|ubuntu)\b/.test(family)) {
        differs.push(
          `the operating system is ${system}; install Raspberry Pi OS, Debian or Ubuntu`,
        );
      }
      if (init !== 'systemd') differs.push(`the init process is ${init}; install systemd-sysv`);
      if (freeKib < leastFreeKib) {
        differs.push(
          `the disk has ${Math.floor(freeKib / 1024)} MiB free, but ${leastFreeKib / 1024} MiB are required; free disk space, for example with \`apt-get clean\` and \`journalctl --vacuum-size=50M\``,
        );
      }
      return { differs, note: factsText(facts) };
    },
  };
}

/** Between the clocks of the workstation and Pi. Certificates tolerate minutes. */
const mostSkewSeconds = 120;

/** @param now this workstation's time, in milliseconds since 1970 */
export function clockStep(now: () => number): Step {
  return {
    name: 'clock',
    about: "the clock matches your workstation's, so that TLS works",
    async check(host) {
      const { time } = await readFacts(host);
      const skew = Math.round(time - now() / 1000);
      if (Math.abs(skew) <= mostSkewSeconds) return { differs: [] };
      const date = new Date(time * 1000).toISOString().slice(0, 16).replace('T', ' ');
      return { differs: [`the clock shows ${date} UTC`] };
    },
    async apply(host) {
      if ((await readFacts(host)).isTimeKnown === 'yes') {
        throw new ComputerError(
          "the clock is synchronised by NTP, but differs from your workstation's; set your workstation's clock",
        );
      }
      // The next boot starts at the saved time.
      await host.need(`set -e
date -u -s @${Math.floor(now() / 1000)} > /dev/null
[ ! -e /var/lib/systemd/timesync/clock ] || touch /var/lib/systemd/timesync/clock
! command -v fake-hwclock > /dev/null || fake-hwclock save
[ ! -e /dev/rtc0 ] || hwclock --systohc --utc 2> /dev/null || true`);
    },
  };
}
