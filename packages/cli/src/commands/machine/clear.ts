import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { agentPlace } from './agents.ts';
import { said, word } from './machine-words.ts';
import { signIn } from './sign-in.ts';

/** `skolo machine clear`: ends a quarantine that a person forced, and begins anew with what needs hands. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Ends a quarantine that somebody forced by a file, and lets repair begin anew with phones that need hands. Prints what the health of the machine is then: what is really wrong stays so.',
    )
    .summary('end a forced quarantine; try anew what needs hands')
    .argument('<name>', 'the machine')
    .requiredOption('--reason <text>', 'for its audit log')
    .uses('rack', 'url', 'tokenFile')
    .example("skolo machine clear skia-rpi2-rack4-shelf1-007 --reason 'new cable'");

  command.action(async (name: string, { reason }: { reason: string }) => {
    const place = await agentPlace(command, name);
    const agent = await signIn(command, place, 'status');
    const { verdict, reasons } = await agent.ask((client) =>
      client.clearQuarantine({ body: { why: reason } }),
    );
    io.out(`${place.name} is ${verdict}`);
    for (const { verdict: worse, device, text } of reasons.slice(0, 20)) {
      const of = device === undefined ? '' : `${word(device)}: `;
      io.out(`${place.name}: ${worse}: ${of}${said(text)}`);
    }
  });
}
