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

/** The phone has to answer twice. */
const timeoutMs = 60_000;

/** `skolo machine screen`: the screen of a phone. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Writes the screen of a phone to a PNG file: the last one that the agent kept as evidence when the phone fell ill, or a fresh one. A fresh one is not stored at the rack. It is not made while a task runs, unless you force it, because it may disturb the measurement. Screens show unreleased software and accounts, so this needs the role operate and is audited.',
    )
    .summary('the screen of a phone, as a PNG file')
    .argument('<name>', 'name of the machine')
    .option('--device <name>', 'its phone, where it has several: left')
    .option('--fresh', 'as it is now, and not the last evidence')
    .option('--force', 'a fresh one although a task runs')
    .requiredOption('-o, --output <file>', 'write to this file, readable only by you')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo machine screen skia-rpi2-rack4-shelf1-007 --fresh -o screen.png');

  command.action(async (name: string, { device, fresh, force, output }: Options) => {
    if (force && !fresh) command.error("'--force' has an effect only with '--fresh'");
    const body = { device, fresh: fresh ?? false, force: force ?? false };
    const { bytes, headers } = await machineState(command).ask(async (client) => {
      try {
        return await client.screen({ params: { name }, body, timeoutMs });
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
        throw new CliError(`${name}: no screenshot: ${error.problem.detail}; see --force`);
      }
    });
    await outputContent(command.io, bytes, { exact: true, output });
    const at = headers.get('last-modified');
    if (at !== null) command.io.err(`${output}: taken ${relative(at, command.io.now())}`);
  });
}
