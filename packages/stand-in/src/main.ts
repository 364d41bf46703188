/** `skolo-stand-in`: the command line, and all that touches the process. */
import { uptime } from 'node:os';
import { parseArgs } from 'node:util';
import { errorText } from '@skolo/errors';
import { openApiServer } from './api-server.ts';
import { give, take } from './hold.ts';
import { type Context, lookAround, syncAll } from './look.ts';
import { places } from './places.ts';
import { type StandInService, services } from './services.ts';
import { readSettings } from './settings.ts';
import { statusText } from './status.ts';

const names = services.map(({ name }) => name).join(' | ');
const usage = `usage: skolo-stand-in COMMAND

  status         who serves, and why
  take SERVICE   the unit serves from now on, also after a reboot, and k3s does not
  give SERVICE   k3s serves again; when its pod does not get ready, all stays as it is
  sync           copies the configuration of the units from k3s
  look           what the timer does: stands in where nobody serves, gives way where k3s can

SERVICE is ${names}. Settings are in /etc/default/skolo-stand-in.`;

/** As everywhere in skolo: 0 done, 1 failed, 2 wrong command line. */
async function main(args: string[]): Promise<0 | 1 | 2> {
  const { command, service, problem } = readCommandLine(args);
  if (problem !== undefined) {
    console.error(`${problem}\n${usage}`);
    return 2;
  }
  const context: Context = {
    settings: readSettings(process.env),
    where: places,
    uptime,
    say: (text) => console.log(text),
  };
  if (command === 'help') console.log(usage);
  else if (command === 'status') console.log(await statusText(context));
  else if (command === 'look') return (await lookAround(context)) ? 0 : 1;
  else if (command === 'sync') return (await sync(context)) ? 0 : 1;
  else if (service === undefined) return 2;
  else if (command === 'give') return (await give(context, service)) ? 0 : 1;
  else return (await take(context, service, person())) ? 0 : 1;
  return 0;
}

async function sync({ settings, where, say }: Context): Promise<boolean> {
  return await syncAll(await openApiServer(settings.kubeconfig), where, say);
}

interface CommandLine {
  command: string | undefined;
  service: StandInService | undefined;
  problem: string | undefined;
}

function readCommandLine(args: string[]): CommandLine {
  const nothing = { command: undefined, service: undefined };
  let values: { help?: boolean | undefined };
  let positionals: string[];
  try {
    ({ values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' } },
    }));
  } catch (error) {
    return { ...nothing, problem: errorText(error) };
  }
  if (values.help) return { command: 'help', service: undefined, problem: undefined };
  const [command, name, ...rest] = positionals;
  const wantsService = command === 'take' || command === 'give';
  if (!wantsService && !['status', 'sync', 'look'].includes(command ?? '')) {
    return { ...nothing, problem: command ? `no command ${command}` : 'a command is missing' };
  }
  const service = services.find((each) => each.name === name);
  if (rest.length > 0 || (!wantsService && name !== undefined)) {
    return { ...nothing, problem: 'too many words' };
  }
  if (wantsService && service === undefined) {
    return { ...nothing, problem: `${command}: which service? ${names}` };
  }
  return { command, service, problem: undefined };
}

function person(): string {
  return process.env.SUDO_USER ?? process.env.USER ?? 'somebody';
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(errorText(error));
  process.exitCode = 1;
}
