import type { SkoloCommand } from '../../command.ts';
import { cell, sentence } from './agent-text.ts';
import { agentPlace } from './agents.ts';
import { signIn } from './sign-in.ts';

/** `skolo machine clear`: ends a forced quarantine and restarts repairs. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Ends a quarantine that was forced by a file, and restarts repairs of phones that need an operator. Then prints the health of the machine. Real problems remain.',
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
  });
}
