/** `skolo-fallback`: the command line, and all that touches the process. */
import { uptime } from 'node:os';
import { parseArgs } from 'node:util';
import { errorText } from '@skolo/base';
import { renewCertificates } from './certificates/restart.ts';
import { holdJournal } from './existing/fence.ts';
import { failBack, failOverToExisting, failOverToUnit } from './fail-over/fail-over.ts';
import { actOnAll, type Context, copyAll, opener } from './look/look.ts';
import { statusText } from './look/status.ts';
import { operator } from './operator.ts';
import { readSettings } from './settings.ts';
import { allServices, hasUnit } from './units/services.ts';

const names = allServices.map(({ name }) => name).join(' | ');
const usage = `usage: skolo-fallback COMMAND

  status                     show for each service whether k3s or the unit serves, and why
  fail-over SERVICE          let the unit serve instead of k3s, even after a reboot
  existing SERVICE [UNIT…]   let units of an existing system serve, even after a reboot (default: those used last time)
  fail-back SERVICE [UNIT…]  let k3s serve again; if its pod does not become ready, the previous units serve again.
                             Specify the units of an existing system that are running
  sync                       copy the configuration of the units from k3s
  look                       run by the timer: start the unit of a service that does not respond, stop it when k3s can serve
  renew-certificates         run by the timer at night: restart k3s if one of its certificates expires within 60 days and nobody is pushing
  fence                      prevent every skolo power-cycle daemon from running (skolo-power-fence.service)

SERVICE is ${names}. The settings are in /etc/default/skolo-fallback.`;

type Command = (context: Context) => Promise<boolean>;
const general = new Map<string, Command>([
  ['status', printStatus],
  ['sync', async (context) => await copyAll(await context.open(), context)],
  ['look', actOnAll],
  ['renew-certificates', renewCertificates],
]);

class WrongCommandLine extends Error {}

async function main(args: string[]): Promise<boolean> {
  const { help, words } = readArguments(args);
  const [command, ...rest] = words;
  if (help) {
    console.log(usage);
    return true;
  }
  if (command === undefined) throw new WrongCommandLine('no command given');
  if ((command === 'fence' || general.has(command)) && rest.length > 0) {
    throw new WrongCommandLine('too many arguments');
  }
  if (command === 'fence') {
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
    await holdJournal(stop.signal);
    return true;
  }
  const run = general.get(command) ?? ofService(command, rest);
  const settings = readSettings(process.env);
  const print = (text: string) => console.log(text);
  return await run({ settings, uptime, print, open: opener(settings) });
}

async function printStatus(context: Context): Promise<boolean> {
  context.print(await statusText(context));
  return true;
}

function readArguments(args: string[]) {
  const options = { help: { type: 'boolean', short: 'h' } } as const;
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
    return { help: values.help, words: positionals };
  } catch (error) {
    throw new WrongCommandLine(errorText(error));
  }
}

function ofService(command: string, [name, ...words]: string[]): Command {
  if (!['fail-over', 'fail-back', 'existing'].includes(command)) {
    throw new WrongCommandLine(`unknown command ${command}`);
  }
  const service = allServices.find((each) => each.name === name);
  if (service === undefined) throw new WrongCommandLine(`${command}: specify a service: ${names}`);
  const units = words.map(unitName);
  if (command === 'fail-back') return (context) => failBack(context, service, units);
  if (command === 'existing')
    return async (context) =>
      failOverToExisting(context, service, units, await operator(process.env));
  if (units.length > 0) throw new WrongCommandLine('too many arguments');
  if (!hasUnit(service)) throw new WrongCommandLine(`fail-over: ${service.name} has no skolo unit`);
  return async (context) => failOverToUnit(context, service, await operator(process.env));
}

/** As systemctl completes it. */
function unitName(name: string): string {
  return /\.\w+$/.test(name) ? name : `${name}.service`;
}

// As everywhere in skolo: 0 done, 1 failed, 2 wrong command line.
try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  const isUsage = error instanceof WrongCommandLine;
  console.error(isUsage ? `${error.message}\n${usage}` : errorText(error));
  process.exitCode = isUsage ? 2 : 1;
}
