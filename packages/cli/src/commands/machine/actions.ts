/** Changes that the agent on a machine makes. */

import { ApiError, type DeviceStatus } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { type Column, printTable } from '../../output/table.ts';
import { agentPlace } from '../../reach/agents.ts';
import { cell, reasonText, sentence } from './agent-text.ts';
import { signIn } from './sign-in.ts';

/** `skolo machine clear`: ends a forced quarantine and restarts repairs. */
export function clear(command: SkoloCommand): void {
  command
    .description(
      'Ends a quarantine that was forced by a file on the machine, and restarts repairs of phones that need an operator. Then prints the health of the machine. Real problems remain, and so do orders of people: skolo machine quarantine NAME --end ends those.',
    )
    .summary('end a forced quarantine; restart repairs')
    .argument('<name>', 'name of the machine')
    .requiredOption('--reason <text>', 'for the audit log of the agent')
    .example("skolo machine clear skia-rpi2-rack4-shelf1-007 --reason 'new cable'");

  command.action(async (name: string, { reason }: { reason: string }) => {
    const place = await agentPlace(command, name);
    const agent = await signIn(command, place, 'status');
    const { verdict, reasons } = await agent.ask((client) =>
      client.clearQuarantine({ body: { why: reason } }),
    );
    command.io.out(`${place.name} is ${verdict}`);
    for (const reason of reasons.slice(0, 20)) {
      command.io.out(`${place.name}: ${reason.verdict}: ${reasonText(reason)}`);
    }
    // What a file has forced is over.
    if (reasons.some(({ code }) => code === 'forced')) {
      command.io.err(
        `${place.name}: it is an order; skolo machine quarantine ${place.name} --end ends it`,
      );
    }
  });
}

/** `skolo machine repair`: one step of the repair ladder, or the list of steps. */
export function repair(command: SkoloCommand): void {
  command
    .description(
      'Begins one step of repair with a phone, through the agent of its machine, also with a phone that works. The automatic repair does not count it. Without a step it lists those that exist for each phone. The agent rejects a step while a task or another step runs, or somebody holds the power; a task that begins ends the step. adb-restart disconnects all phones of the machine; usb-cycle cuts the power of the USB port; power-cycle cuts what feeds the phone.',
    )
    .summary('one step of repair with a phone')
    .argument('<name>', 'name of the machine')
    .argument('[step]', 'step of repair')
    .option('--device <name>', 'phone, where the machine has several')
    .option('--reason <text>', 'for the audit log of the agent; required with a step')
    .example("skolo machine repair skia-rpi2-rack4-shelf1-007 usb-cycle --reason 'adb hangs'");

  command.action(
    async (name: string, step: string | undefined, { device, reason }: RepairOptions) => {
      const place = await agentPlace(command, name);
      const agent = await signIn(command, place, 'status');
      if (step === undefined) {
        const { devices } = await agent.ask((client) => client.status({ query: {} }));
        return printTable(command.io, repairColumns, devices);
      }
      if (reason === undefined) return command.error('a step needs --reason');
      await orRejected(`${place.name}: not begun`, () =>
        agent.ask((client) => client.repair({ body: { step, device, why: reason } })),
      );
      command.io.err(
        `${place.name}: ${step} begun; see skolo machine history ${place.name} --kind repair`,
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

/** @throws CliError The agent does not do it now, and says why. */
async function orRejected(what: string, ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof ApiError) || ![404, 409].includes(error.status)) throw error;
    throw new CliError(`${what}: ${sentence(error.problem.detail)}`);
  }
}

/** `skolo machine reboot`: reboots a machine through its agent. */
export function reboot(command: SkoloCommand): void {
  command
    .description(
      'The agent ends the bot gracefully and reboots the machine. It rejects this while a task runs. For a machine that does not answer use skolo power cycle.',
    )
    .summary('reboot a machine that runs no task')
    .argument('<name>', 'name of the machine')
    .requiredOption('--reason <text>', 'for the audit log of the agent')
    .example("skolo machine reboot skia-rpi2-rack4-shelf1-007 --reason 'new kernel'");

  command.action(async (name: string, { reason }: { reason: string }) => {
    const place = await agentPlace(command, name);
    const agent = await signIn(command, place, 'status');
    await orRejected(`${place.name}: not rebooted`, () =>
      agent.ask((client) => client.reboot({ body: { why: reason } })),
    );
    command.io.err(`${place.name}: rebooting; see skolo machine status ${place.name}`);
  });
}
