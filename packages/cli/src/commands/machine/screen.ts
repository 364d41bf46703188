import { ApiError } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { relative } from '../../output/time.ts';
import { machineState } from '../../reach/service-client.ts';
import { outputContent } from '../backup/output-content.ts';

interface Options {
  device?: string;
  fresh?: true;
  force?: true;
  output: string;
}

/** The phone must respond twice. */
const timeoutMs = 60_000;

/** `skolo machine screen`: saves a phone's screen. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Saves a screenshot of a phone as a PNG file. By default, this is the last screenshot that the agent stored as evidence of a fault; --fresh takes a new one. A new screenshot may disturb measurements, so while a task is running, it also requires --force. Screens may show unreleased software and accounts, so this command requires the operate role and is recorded in the audit log.',
    )
    .summary("save a phone's screen as a PNG file")
    .argument('<name>', 'machine name')
    .option('--device <name>', 'name of the phone, such as left, if the machine has several')
    .option('--fresh', 'take a new screenshot instead of saving the last stored screenshot')
    .option('--force', 'take a new screenshot even while a task is running')
    .requiredOption('-o, --output <file>', 'output file, readable only by you')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo machine screen skia-rpi2-rack4-shelf1-007 --fresh -o screen.png');

  command.action(async (name: string, { device, fresh, force, output }: Options) => {
    if (force && !fresh) command.error("option '--force' requires '--fresh'");
    const body = { device, fresh: fresh ?? false, force: force ?? false };
    const { bytes, headers } = await machineState(command).ask(async (client) => {
      try {
        return await client.screen({ params: { name }, body, timeoutMs });
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
        throw new CliError(`${name}: no screenshot: ${error.problem.detail}`);
      }
    });
    await outputContent(command.io, bytes, { exact: true, output });
    const at = headers.get('last-modified');
    if (at !== null) command.io.err(`${output}: taken ${relative(at, command.io.now())}`);
  });
}
