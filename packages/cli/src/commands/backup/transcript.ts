import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../io.ts';
import { relative, timestamp } from '../../output/time.ts';
import { routerBackup } from '../../service-client.ts';
import { printContent } from './give-content.ts';
import { oneDevice } from './wanted-names.ts';

/** `skolo backup transcript`: what was said in the last attempt that failed. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'What the service and the device said to each other in the last attempt that failed. Secrets are masked.',
    )
    .summary('what was said when it failed')
    .argument('<device>', 'its name in rack.yaml')
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo backup transcript switch-3');

  command.action(async (word: string, { json }: { json?: true }) => {
    const device = oneDevice(word);
    const service = await routerBackup(command);
    const answer = await service.ask((client) => client.transcript({ params: { device } }));
    if (json) return printJson(io, answer);
    const { at, transcript } = answer;
    const end = transcript === '' || transcript.endsWith('\n') ? '' : '\n';
    await printContent(io, Buffer.from(transcript + end), false);
    const what = transcript.trim() === '' ? 'nothing was said' : 'said';
    io.err(`${what} ${relative(at, io.now())}, at ${timestamp(at)}`);
    return undefined;
  });
}
