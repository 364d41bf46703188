/** For `--check`: whether this machine's entry in rack.yaml is known and valid, and its bot can start on this computer. */
import { errorText } from '@skolo/base';
import { runCommand } from '@skolo/base/run-command';
import { type MachinePart, readMachinePart } from '@skolo/rack/machine-part';
import { folderProblem } from '../bot/bot-folder.ts';
import { botSettingsOf, noServer } from '../bot/bot-settings.ts';
import { pythonProblem } from '../bot/python.ts';
import { type Flags, localAddressOf } from '../flags.ts';
import { MetadataClient } from './metadata-client.ts';

interface Checked {
  good: boolean;
  text: string;
}

type CheckedFlags = Pick<Flags, 'machine' | 'rackFile' | 'metadataUrl' | 'host'>;

export async function checkIdentity(flags: CheckedFlags): Promise<Checked> {
  try {
    const { rackFile, machine } = flags;
    const { machinePart, text } =
      rackFile === undefined ? await checkServer(flags) : await checkFile(machine, rackFile);
    const problems = await botProblems(machinePart);
    if (problems.length > 0) return { good: false, text: problems.join('\n') };
    return { good: true, text };
  } catch (error) {
    return { good: false, text: errorText(error) };
  }
}

/** What prevents the bot from starting here. */
async function botProblems(machinePart: MachinePart): Promise<string[]> {
  const settings = botSettingsOf(machinePart);
  if (settings === 'none') return [];
  if (settings === undefined) return [`${machinePart.name}: ${noServer}`];
  const { botDir, python } = settings;
  const folder = await folderProblem(botDir, process.env.HOME);
  const interpreter = await pythonProblem(python, runCommand);
  return [folder, interpreter].filter((problem) => problem !== undefined);
}

interface Found {
  machinePart: MachinePart;
  /** Where it is good. */
  text: string;
}

/** @throws Error */
async function checkFile(machine: string, file: string): Promise<Found> {
  const { machinePartOf, readRack } = await import('@skolo/rack');
  const rack = await readRack(file, { strictFor: 'swarming-client' });
  const found = rack.machines.get(machine);
  if (found === undefined) {
    throw new Error(`${file} does not list machine ${machine}; specify --machine NAME`);
  }
  const machinePart = readMachinePart(JSON.parse(JSON.stringify(machinePartOf(rack, found))), file);
  return { machinePart, text: `${file}: valid for ${machine}` };
}

/** @throws Error */
async function checkServer({ machine, metadataUrl: url, host }: CheckedFlags): Promise<Found> {
  const client = new MetadataClient({
    urls: () => [url],
    localAddress: localAddressOf(host),
    now: Date.now,
    emit: () => undefined,
  });
  const { signal } = new AbortController();
  const { text } = await client.attribute('skolo-machine', { signal });
  const machinePart = readMachinePart(JSON.parse(text), url);
  const { name, rack } = machinePart;
  if (name === machine) return { machinePart, text: `${url}: valid for ${machine} of ${rack}` };
  const hint = 'specify --machine, or fix rack.yaml';
  throw new Error(
    `${url}: the metadata server identifies this machine as ${name}, not ${machine}; ${hint}`,
  );
}
