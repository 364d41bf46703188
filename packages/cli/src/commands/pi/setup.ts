/** `skolo pi setup`: sets up running Raspberry Pis as a card would. */

import { prepare } from '@skolo/setup/engine';
import { k3sVersion } from '@skolo/setup/k3s';
import { setupSteps } from '@skolo/setup/pi';
import { returnAfterOption, timeOption } from '../../arguments.ts';
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
          'Configures existing Raspberry Pis over SSH, all in parallel, with the same settings as an SD card from skolo pi image. Each step changes only what differs, and verifies the result, so you can run the command again at any time. If one Pi fails, the others continue. Pis keep their addresses and, unless you specify --wifi, their Wi-Fi settings. Exit codes: 0 all Pis are set up; 3 some are not; 1 none is.',
        )
        .summary('configure existing Raspberry Pis over SSH')
        .argument(
          '<names...>',
          'names of machines or the jumphost in rack.yaml, or SSH host names; ranges allowed',
        )
        .option('--check', 'only show the differences')
        .option(
          '--restart',
          'reboot Pis whose firmware must load new settings, and wait until they are back',
        ),
      'name servers (default: unchanged)',
    ),
  )
    .addOption(timeOption('--limit <time>', 'time limit for each Pi', '15m'))
    .addOption(returnAfterOption())
    .uses('rack', 'clusters', 'on')
    .example("skolo pi setup 'host[01-10]' --rack desk/rack.yaml --password-file first-password");

  command.action(async (words: string[], options: Options) => {
    const { io } = command;
    // Not its address, which it already has.
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
