/** `skolo machine clear`, `repair` and `reboot`: changes that the agent on a machine makes. */

import { ApiError, type DeviceStatus } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { type Column, printTable } from '../../output/table.ts';
import { reasonFor } from '../../reason.ts';
import { cell, reasonText, sentence } from './agent-text.ts';
import { signIn } from './sign-in.ts';

/** `skolo machine clear`: ends a forced quarantine and restarts repairs. */
export function clear(command: SkoloCommand): void {
  command
    .description(
      "Ends a quarantine that a file on the machine forces, restarts the repair of phones that need attention, and prints the machine's health. To end a quarantine that an operator ordered, use skolo machine quarantine NAME --end.",
    )
    .summary('end a forced quarantine and restart repairs')
    .argument('<name>', 'machine name')
    .addOption(reasonFor('clear', "reason to record in the agent's audit log"))
    .example("skolo machine clear skia-rpi2-rack4-shelf1-007 --reason 'new cable'");

  command.action(async (name: string, { reason }: { reason: string }) => {
    const agent = await signIn(command, name, 'status');
    const { verdict, reasons } = await agent.ask((client) =>
      client.clearQuarantine({ body: { why: reason } }),
    );
    command.io.out(`${agent.name} is ${verdict}`);
    for (const reason of reasons.slice(0, 20)) {
      command.io.out(`${agent.name}: ${reason.verdict}: ${reasonText(reason)}`);
    }
    // Only a quarantine forced by a file has ended.
    if (reasons.some(({ code }) => code === 'forced')) {
      command.io.err(
        `${agent.name}: an operator ordered this quarantine; to end it, run skolo machine quarantine ${agent.name} --end`,
      );
    }
  });
}

/** `skolo machine repair`: one step of the repair ladder, or the list of steps. */
export function repair(command: SkoloCommand): void {
  command
    .description(
      "Starts a repair step on a phone, even if the phone is healthy. Without a step, the command lists the steps available for each phone. adb-restart disconnects all phones on the machine, usb-cycle power-cycles the USB port, and power-cycle cycles the phone's power supply. The agent rejects the step during a task, another step or a hold. If a new task starts, the step is stopped.",
    )
    .summary('start a repair step on a phone')
    .argument('<name>', 'machine name')
    .argument('[step]', 'repair step')
    .option('--device <name>', 'name of the phone, such as left, if the machine has several')
    .option('--reason <text>', "reason to record in the agent's audit log; required with a step")
    .example("skolo machine repair skia-rpi2-rack4-shelf1-007 usb-cycle --reason 'adb hangs'");

  command.action(
    async (name: string, step: string | undefined, { device, reason }: RepairOptions) => {
      if (step !== undefined && reason === undefined) {
        return command.error('a repair step requires --reason');
      }
      const agent = await signIn(command, name, 'status');
      if (step === undefined || reason === undefined) {
        const { devices } = await agent.ask((client) => client.status({ query: {} }));
        return printTable(command.io, repairColumns, devices);
      }
      await orRejected(`${agent.name}: not started`, () =>
        agent.ask((client) => client.repair({ body: { step, device, why: reason } })),
      );
      command.io.err(
        `${agent.name}: ${step} started; see skolo machine history ${agent.name} --kind repair`,
      );
      return undefined;
    },
  );
}

interface RepairOptions {
  device?: string;
  reason?: string;
}

const repairColumns: Column<DeviceStatus>[] = [
  { title: 'DEVICE', cell: ({ name }) => cell(name) },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'STEPS', cell: ({ repairSteps }) => repairSteps?.map(cell) },
];

/** @throws CliError The agent refuses for now, and says why. */
async function orRejected(what: string, ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof ApiError) || ![404, 409, 501].includes(error.status)) throw error;
    throw new CliError(`${what}: ${sentence(error.problem.detail)}`);
  }
}

/** `skolo machine reboot`: reboots a machine through its agent. */
export function reboot(command: SkoloCommand): void {
  command
    .description(
      'Stops the bot gracefully and reboots the machine. The agent rejects this while a task is running. If the machine does not respond, use skolo power cycle.',
    )
    .summary('reboot an idle machine')
    .argument('<name>', 'machine name')
    .addOption(reasonFor('reboot', "reason to record in the agent's audit log"))
    .example("skolo machine reboot skia-rpi2-rack4-shelf1-007 --reason 'new kernel'");

  command.action(async (name: string, { reason }: { reason: string }) => {
    const agent = await signIn(command, name, 'status');
    await orRejected(`${agent.name}: not rebooted`, () =>
      agent.ask((client) => client.reboot({ body: { why: reason } })),
    );
    command.io.err(`${agent.name}: rebooting; see skolo machine list --agents ${agent.name}`);
  });
}
