/** `skolo pi setup`: Raspberry Pis that run become what a card would make them. */
import { prepare } from '@skolo/computers';
import { k3sVersion } from '@skolo/k3s';
import { setupSteps } from '@skolo/pi';
import { timeOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { addWayOptions, onEachPi, type PiWayOptions } from '../../reach/pis.ts';
import { interruptible } from '../../reach/racks.ts';
import { onPis } from './pi-steps.ts';
import type { SetupOptions } from './setup-options.ts';
import { addSystemOptions, readSetups } from './setups.ts';

interface Options extends PiWayOptions, Omit<SetupOptions, 'k3s' | 'dhcp'> {
  check?: true;
  restart?: true;
  limit: number;
  returnAfter: number;
}

export function define(command: SkoloCommand): void {
  addWayOptions(
    addSystemOptions(
      command
        .description(
          'Makes Raspberry Pis that run what a card of skolo pi image would have made them, over ssh, all at once: the right time, names, user and keys, no password for ssh, time zone, keyboard, language, no swap, log in memory, watchdog, NTP, and the counting of memory that k3s needs. Each step looks at the Pi itself, changes only what differs, and looks again, so the command can be run again at any time. A Pi that fails stops no other. The address and Wi-Fi of a Pi stay as they are, unless --wifi is given. Exit codes: 0 all are as they have to be; 3 some are not; 1 none is.',
        )
        .summary('set up Raspberry Pis that run')
        .argument(
          '<names...>',
          'machines or the jumphost of rack.yaml, else names of ssh; with ranges',
        )
        .option('--check', 'show what differs; changes nothing')
        .option('--restart', 'restart those whose firmware has to read new settings, and wait'),
      '(default: they keep their own)',
    ),
  )
    .addOption(timeOption('--limit <time>', 'for each Pi', '15m'))
    .addOption(
      timeOption('--return-after <time>', 'when a change that locks out returns by itself', '90s'),
    )
    .uses('rack', 'clusters', 'on')
    .example("skolo pi setup 'host[01-10]' --rack desk/rack.yaml --password-file first-password");

  command.action(async (words: string[], options: Options) => {
    const { io } = command;
    // Not its address: it has one.
    const given = { ...userOf(options), ...options, dhcp: true as const, k3s: k3sVersion };
    const setups = await interruptible(command, (signal) =>
      readSetups(command, words, given, signal),
    );
    const what = `pi setup: ${words.join(' ')}`;
    const { rack } = setups;
    await onPis(command, words, { ...options, what, rack }, async (pis, given) => {
      const limits = { limitMs: options.limit, signal: given.signal };
      return await onEachPi(pis, limits, async ({ name, host, signal }) => {
        const steps = setupSteps({
          setup: setups.of(name, {}),
          now: io.now,
          signal,
          mayRestart: options.restart ?? false,
          ...(rack?.jumphost.name === name && { master: rack }),
          guard: {
            returnSeconds: options.returnAfter / 1000,
            signal,
            newSession: (end, server) => pis.newSession(name, end, server),
          },
        });
        return await prepare(host, steps, {
          isCheck: given.isCheck,
          signal,
          by: given.by,
          report: (all) => given.report({ name, steps: all }),
        });
      });
    });
  });
}

function userOf({ signInAs }: Options) {
  return signInAs === undefined || signInAs === 'root' ? {} : { user: signInAs };
}
