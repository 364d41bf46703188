/** Settings that a Raspberry Pi's firmware reads at boot, and the required reboot. */
import { countsMemory } from '@skolo/setup/debian';
import {
  bootIdOf,
  ComputerError,
  type Host,
  linesOf,
  type Step,
  sendReboot,
  waitUntil,
} from '@skolo/setup/engine';
import { editCmdline, lastingEdit } from '../boot/cmdline.ts';
import {
  cmdlinePath,
  editConfigTxt,
  noWifiLine,
  ownConfigLines,
  watchdogLine,
} from '../boot/config-txt.ts';
import { extraCmdline, raspiFirmwareHook } from '../boot/debian.ts';
import type { PiSetup } from '../setup.ts';

/** Until the next start. */
const pending = '/run/skolo-pi-restart';

interface FirmwareFile {
  path: string;
  content: string;
  /** The required content. */
  wanted: string;
}

export function firmwareStep(setup: PiSetup): Step {
  return {
    name: 'firmware',
    about: 'the memory cgroup and the watchdog are enabled',
    async check(host) {
      const files = await readFirmware(host, setup);
      const differs = files.flatMap(({ path, content, wanted }) =>
        content === wanted ? [] : [`${path} differs`],
      );
      return { differs, ...(files.length === 0 && { note: 'no Raspberry Pi firmware' }) };
    },
    async apply(host) {
      for (const { path, content, wanted } of await readFirmware(host, setup)) {
        if (content === wanted) continue;
        await host.need(`touch ${pending}`);
        await host.write({ path, content: wanted });
      }
    },
  };
}

/** Raspberry Pi OS Bookworm also has a cmdline.txt in /boot, which only refers to the other directory. */
async function readFirmware(host: Host, { wifi }: PiSetup): Promise<FirmwareFile[]> {
  const [folder, hook] = linesOf(
    await host.need(
      `for each in /boot/firmware /boot; do [ ! -e "$each/config.txt" ] || { echo "$each"; break; }; done
[ ! -e ${raspiFirmwareHook} ] || echo hook`,
    ),
  );
  if (folder === undefined || folder === 'hook') return [];
  const config = { path: `${folder}/config.txt`, content: '' };
  config.content = (await host.read(config.path)) ?? '';
  const path = `${folder}/${cmdlinePath(config.content)}`;
  const content = await host.read(path);
  if (content === undefined) {
    throw new ComputerError(
      `${path} is missing, but ${config.path} refers to it; check that the boot partition is complete`,
    );
  }
  const edit = lastingEdit({ wifi });
  const cmdline = { path, content, wanted: editCmdline(content, edit) };
  if (hook === undefined) {
    return [{ ...config, wanted: withWatchdog(config.content, wifi !== 'off') }, cmdline];
  }
  // On Debian's own system, changes only in the firmware's files are lost with the next kernel.
  const kept = (await host.read(extraCmdline)) ?? '';
  return [{ path: extraCmdline, content: kept, wanted: editCmdline(kept, edit) }, cmdline];
}

function withWatchdog(text: string, hasWifi: boolean): string {
  const own = ownConfigLines(text);
  const kept = own.filter((line) => line !== watchdogLine && !(hasWifi && line === noWifiLine));
  return editConfigTxt(text, [watchdogLine, ...kept]);
}

const needsRestart = `${countsMemory}[ ! -e ${pending} ] || echo 'the firmware has not loaded its new settings'
counts_memory || echo 'the memory cgroup is disabled, but k3s requires it'`;

export interface RestartNeeds {
  mayRestart: boolean;
  signal: AbortSignal;
  /** Default 5 min. */
  backMs?: number;
}

export function restartStep({ mayRestart, signal, backMs = 300_000 }: RestartNeeds): Step {
  const whatFor = async (host: Host) => linesOf(await host.need(needsRestart));
  return {
    name: 'restart',
    about: 'the last boot loaded all firmware settings',
    async check(host) {
      const why = await whatFor(host);
      if (mayRestart || why.length === 0) return { differs: why };
      return { differs: [`${why.join(', and ')}; run the command again with --restart`] };
    },
    ...(mayRestart && { apply: (host: Host) => restart(host, { signal, backMs }) }),
  };
}

/** Waits until it is back. @throws ComputerError It did not come back in time. */
async function restart(host: Host, { signal, backMs }: { signal: AbortSignal; backMs: number }) {
  const before = await bootIdOf(host);
  await sendReboot(host);
  const look = async () => ((await bootIdOf(host)) === before ? 'it has not shut down' : undefined);
  const why = await waitUntil(look, { withinMs: backMs, pollMs: 2000, signal });
  if (why === undefined) return;
  throw new ComputerError(
    `the Pi did not finish its reboot within ${backMs / 60_000} min: ${why}`,
    {
      code: 'LOST',
    },
  );
}
