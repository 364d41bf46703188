import { Option } from 'commander';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { upTo } from '../../limit.ts';
import { printJson } from '../../output/json.ts';

interface Options {
  lines: number;
  follow?: true;
  json?: true;
}

/** `skolo machine log`: the last lines of the agent and of the bot, as they are in its memory. */
export function addMachineLog(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('log')
    .description(
      'The last lines of the agent on a machine and of its bot, the newest at the bottom. They are in memory only: the agent keeps a thousand, since it was started. With --follow it goes on, also over a restart of the agent, and ends with Ctrl-C, and with 0.',
    )
    .summary('last lines of the agent and of the bot')
    .argument('<name>', 'the machine')
    .addOption(new Option('--lines <n>', 'how many, the newest').argParser(upTo(1000)).default(100))
    .option('--follow', 'go on, as lines come')
    .addOption(new Option('--json', 'print JSON').conflicts('follow'))
    .uses('rack', 'url', 'tokenFile')
    .example('skolo machine log skia-rpi2-rack4-shelf1-007 --follow');

  command.action(async (name: string, { lines, follow, json }: Options) => {
    const { agentPlace } = await import('./agents.ts');
    const { signIn } = await import('./sign-in.ts');
    const place = await agentPlace(command, name);
    const agent = await signIn(command, place, 'log');
    const ask = (query: { lines: number; after?: number }, signal?: AbortSignal) =>
      agent.ask((client) => client.log({ query, signal })).then((answer) => answer.lines);
    const { followLog, printLines } = await import('./log-lines.ts');
    if (follow) return followLog(io, { lines, ask });
    const found = await ask({ lines });
    if (json) return printJson(io, { lines: found });
    return printLines(io, found);
  });
}
