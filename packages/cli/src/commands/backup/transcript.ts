import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { relative, timestamp } from '../../output/time.ts';
import { routerBackup } from '../../reach/service-client.ts';
import { oneName } from './equipment-names.ts';
import { printContent } from './output-content.ts';

/** `skolo backup transcript`: the session of the last failed attempt. */
export function define(command: SkoloCommand): void {
  command
    .description('Prints the session of the last failed backup attempt. Secrets are masked.')
    .summary('show the last failed session')
    .argument('<equipment>', 'name in rack.yaml')
    .option('--json', 'print JSON')
    .example('skolo backup transcript switch-3');

  command.action(async (word: string, { json }: { json?: true }) => {
    const equipment = oneName(word);
    const answer = await routerBackup(command).ask((client) =>
      client.transcript({ params: { equipment } }),
    );
    if (json) return printJson(command.io, answer);
    const { at, transcript } = answer;
    const end = transcript === '' || transcript.endsWith('\n') ? '' : '\n';
    await printContent(command.io, Buffer.from(transcript + end), false);
    const what = transcript.trim() === '' ? 'empty session' : 'session';
    command.io.err(`${what} from ${timestamp(at)}, ${relative(at, command.io.now())}`);
    return undefined;
  });
}
