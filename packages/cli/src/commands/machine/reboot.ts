import { ApiError } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { agentPlace } from './agents.ts';
import { signIn } from './sign-in.ts';

/** `skolo machine reboot`: the machine itself, by its agent, and not while a task runs. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Asks the agent to end the bot in order and to reboot its machine. Refused while a task runs. A machine that does not answer any more: skolo power cycle.',
    )
    .summary('reboot a machine, if no task runs there')
    .argument('<name>', 'the machine')
    .requiredOption('--reason <text>', 'for its audit log')
    .uses('rack', 'url', 'tokenFile')
    .example("skolo machine reboot skia-rpi2-rack4-shelf1-007 --reason 'new kernel'");

  command.action(async (name: string, { reason }: { reason: string }) => {
    const place = await agentPlace(command, name);
    const agent = await signIn(command, place, 'status');
    try {
      await agent.ask((client) => client.reboot({ body: { why: reason } }));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      throw new CliError(`${place.name} does not reboot: ${error.problem.detail}`);
    }
    io.err(`${place.name} reboots; skolo machine status ${place.name} shows when it is back`);
  });
}
