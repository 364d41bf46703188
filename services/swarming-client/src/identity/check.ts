/** For `--check`: whether the entry of this machine in rack.yaml is known and valid. */
import { errorText } from '@skolo/errors';
import { readMachineSlice } from '@skolo/rack/slice';
import { type Flags, localAddressOf } from '../flags.ts';
import { MetadataClient } from './metadata-client.ts';

export interface Checked {
  good: boolean;
  text: string;
}

type CheckedFlags = Pick<Flags, 'machine' | 'rackFile' | 'metadataUrl' | 'host'>;

export async function checkIdentity(flags: CheckedFlags): Promise<Checked> {
  try {
    const { rackFile, machine } = flags;
    return rackFile === undefined ? await checkServer(flags) : await checkFile(machine, rackFile);
  } catch (error) {
    return { good: false, text: errorText(error) };
  }
}

async function checkFile(machine: string, file: string): Promise<Checked> {
  const { readRack } = await import('@skolo/rack');
  const rack = await readRack(file, { strictFor: 'swarming-client' });
  if (rack.machines.has(machine)) return { good: true, text: `${file}: good for ${machine}` };
  return { good: false, text: `${file}: has no machine ${machine}; give --machine NAME` };
}

async function checkServer({ machine, metadataUrl: url, host }: CheckedFlags): Promise<Checked> {
  const client = new MetadataClient({
    urls: () => [url],
    localAddress: localAddressOf(host),
    now: Date.now,
    emit: () => undefined,
  });
  const { signal } = new AbortController();
  const { text } = await client.attribute('skolo-machine', { signal });
  const { name, rack } = readMachineSlice(JSON.parse(text), url);
  if (name === machine) return { good: true, text: `${url}: good for ${machine} of ${rack}` };
  const hint = 'give --machine, or correct rack.yaml';
  return { good: false, text: `${url}: takes this machine for ${name}, not ${machine}; ${hint}` };
}
