/** `skolo-stand-in`: the command line, and all that touches the process. */
import { uptime } from 'node:os';
import { parseArgs } from 'node:util';
import { errorText } from '@skolo/errors';
import { give, take } from './hold.ts';
import { type Context, copyAll, lookAround, opener } from './look.ts';
import { type StandInService, services } from './services.ts';
import { readSettings } from './settings.ts';
import { statusText } from './status.ts';

const names = services.map(({ name }) => name).join(' | ');
const usage = `usage: skolo-stand-in COMMAND

  status         which of k3s and the unit serves, and why
  take SERVICE   the unit serves from now on, also after a reboot, and k3s does not
  give SERVICE   k3s serves again; when its pod does not get ready, all stays as it is
  sync           copies the configuration of the units from k3s
  look           what the timer does: stands in where a service does not answer, gives way where k3s can serve

SERVICE is ${names}. Settings are in /etc/default/skolo-stand-in.`;

const general = ['status', 'sync', 'look'];
const ofService = ['take', 'give'];

class WrongCommandLine extends Error {}

async function main(args: string[]): Promise<boolean> {
  const { command, service } = readCommandLine(args);
  if (command === 'help') {
    console.log(usage);
    return true;
  }
  const settings = readSettings(process.env);
  const print = (text: string) => console.log(text);
  const context: Context = { settings, uptime, print, open: opener(settings) };
  if (command === 'status') print(await statusText(context));
  else if (command === 'look') return await lookAround(context);
  else if (command === 'sync') return await copyAll(await context.open(), context);
  else if (service !== undefined && command === 'give') return await give(context, service);
  else if (service !== undefined) return await take(context, service, operator());
  return true;
}

function readCommandLine(args: string[]): { command: string; service?: StandInService } {
  let parsed: { values: { help?: boolean | undefined }; positionals: string[] };
  try {
    const options = { help: { type: 'boolean', short: 'h' } } as const;
    parsed = parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    throw new WrongCommandLine(errorText(error));
  }
  if (parsed.values.help) return { command: 'help' };
  const [command, ...rest] = parsed.positionals;
  if (command === undefined) throw new WrongCommandLine('a command is missing');
  if (![...general, ...ofService].includes(command)) {
    throw new WrongCommandLine(`no command ${command}`);
  }
  if (rest.length > (ofService.includes(command) ? 1 : 0)) {
    throw new WrongCommandLine('too many words');
  }
  if (general.includes(command)) return { command };
  const service = services.find(({ name }) => name === rest[0]);
  if (service === undefined) throw new WrongCommandLine(`${command}: which service? ${names}`);
  return { command, service };
}

function operator(): string {
  return process.env.SUDO_USER ?? process.env.USER ?? 'somebody';
}

// As everywhere in skolo: 0 done, 1 failed, 2 wrong command line.
try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  const isUsage = error instanceof WrongCommandLine;
  console.error(isUsage ? `${error.message}\n${usage}` : errorText(error));
  process.exitCode = isUsage ? 2 : 1;
}
