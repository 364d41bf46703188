import type { Hold } from '@skolo/api';
import { isIdOf } from '@skolo/api/ids';
import type { SkoloCommand } from '../../command.ts';
import { complain, failPartly } from '../../errors.ts';
import { expandedNames } from '../../names.ts';
import { powerCycleDaemon } from '../../service-client.ts';

/** `skolo power release`: ends holds. */
export function define(command: SkoloCommand): void {
  command
    .description('Ends holds early. A name ends all holds of that target.')
    .summary('end holds early')
    .argument('<names or ids...>', 'held targets, or ids of holds')
    .option('--reason <text>', 'for the audit log')
    .example('skolo power release switch-1');

  command.action(async (words: string[], { reason }: { reason?: string }) => {
    const wanted = expandedNames(words);
    const daemon = await powerCycleDaemon(command);
    const { holds } = await daemon.ask((client) => client.holds());
    const found = new Set<Hold>();
    let unknown = 0;
    for (const word of wanted) {
      const meant = holds.filter(({ id, target }) => isIdOf(id, word) || target === word);
      for (const hold of meant) found.add(hold);
      if (meant.length > 0) continue;
      complain(command.io, `${word}: not held by itself; see skolo power holds`);
      unknown++;
    }
    const query = { why: reason };
    for (const { id, target, by, reason: why } of found) {
      await daemon.ask((client) => client.release({ params: { id }, query }));
      command.io.err(`${target}: released; it was held by ${by}: ${why}`);
    }
    if (unknown > 0) failPartly(command.io, found.size > 0);
  });
}
