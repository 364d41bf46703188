/** Changes that the agent on a machine makes. */

import { ApiError } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { cell, sentence } from './agent-text.ts';
import { agentPlace } from './agents.ts';
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
    for (const { verdict: worse, device, text } of reasons.slice(0, 20)) {
      const of = device === undefined ? '' : `${cell(device)}: `;
      command.io.out(`${place.name}: ${worse}: ${of}${sentence(text)}`);
    }
    // What a file has forced is over.
    if (reasons.some(({ code }) => code === 'forced')) {
      command.io.err(
        `${place.name}: a person has ordered this; skolo machine quarantine ${place.name} --end ends it`,
      );
    }
  });
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
    try {
      await agent.ask((client) => client.reboot({ body: { why: reason } }));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      throw new CliError(`${place.name}: not rebooted: ${error.problem.detail}`);
    }
    command.io.err(`${place.name}: rebooting; see skolo machine status ${place.name}`);
  });
}
