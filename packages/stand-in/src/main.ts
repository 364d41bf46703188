/** `skolo-stand-in`: the command line, and all that touches the process. */
import { uptime } from 'node:os';
import { parseArgs } from 'node:util';
import { errorText } from '@skolo/errors';
import { holdJournal } from './fence.ts';
import { give, take, takeForFormer } from './hold.ts';
import { type Context, copyAll, lookAround, opener } from './look.ts';
import { hasUnit, type PodService, podServices, services } from './services.ts';
import { readSettings } from './settings.ts';
import { statusText } from './status.ts';

const all: readonly PodService[] = [...services, ...podServices];
const names = all.map(({ name }) => name).join(' | ');
const usage = `usage: skolo-stand-in COMMAND

  status                   which of k3s and the unit serves, and why
  take SERVICE             the unit serves from now on, also after a reboot, and k3s does not
  former SERVICE [UNIT…]   these units of a former system serve from now on, also after a reboot; default: those of before
  give SERVICE [UNIT…]     k3s serves again; when its pod does not get ready, all stays as it is. The units are
                           those of a former system that run
  sync                     copies the configuration of the units from k3s
  look                     what the timer does: stands in where a service does not answer, gives way where k3s can serve
  fence                    keeps every power-cycle daemon of skolo off while it runs (skolo-power-fence.service)

SERVICE is ${names}. Settings are in /etc/default/skolo-stand-in.`;

const general = ['status', 'sync', 'look', 'fence'];
const ofService = ['take', 'give', 'former'];

class WrongCommandLine extends Error {}

async function main(args: string[]): Promise<boolean> {
  const { command, service, units = [] } = readCommandLine(args);
  if (command === 'help') {
    console.log(usage);
    return true;
  }
  if (command === 'fence') {
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
    await holdJournal(stop.signal);
    return true;
  }
  const settings = readSettings(process.env);
  const print = (text: string) => console.log(text);
  const context: Context = { settings, uptime, print, open: opener(settings) };
  if (command === 'status') print(await statusText(context));
  else if (command === 'look') return await lookAround(context);
  else if (command === 'sync') return await copyAll(await context.open(), context);
  else if (service !== undefined && command === 'give') return await give(context, service, units);
  else if (service !== undefined && command === 'former')
    return await takeForFormer(context, service, units, operator());
  else if (service !== undefined && hasUnit(service))
    return await take(context, service, operator());
  return true;
}

interface CommandLine {
  command: string;
  service?: PodService;
  /** Of a former system. */
  units?: string[];
}

function readCommandLine(args: string[]): CommandLine {
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
  const [name, ...units] = rest;
  if (general.includes(command)) {
    if (name !== undefined) throw new WrongCommandLine('too many words');
    return { command };
  }
  const service = all.find((each) => each.name === name);
  if (service === undefined) throw new WrongCommandLine(`${command}: which service? ${names}`);
  if (command === 'take') {
    if (units.length > 0) throw new WrongCommandLine('too many words');
    if (!hasUnit(service)) throw new WrongCommandLine(`take: ${service.name} has no unit of skolo`);
  }
  return { command, service, units: units.map(unitName) };
}

/** As systemctl completes it. */
function unitName(name: string): string {
  return /\.\w+$/.test(name) ? name : `${name}.service`;
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
