/** What `--check` says: whether it is known, and understood, what rack.yaml says of this machine. */
import { errorText } from '@skolo/common/light';
import { readMachineSlice } from '@skolo/rack/slice';
import { localAddressOf } from '../flags.ts';
import { MetadataClient } from './metadata-client.ts';

export interface Checked {
  good: boolean;
  text: string;
}

export async function checkIdentity(options: {
  machine: string;
  rackFile: string | undefined;
  metadataUrl: string;
  host: string | undefined;
}): Promise<Checked> {
  const { machine, rackFile, metadataUrl, host } = options;
  try {
    return rackFile === undefined
      ? await checkServer(machine, metadataUrl, host)
      : await checkFile(machine, rackFile);
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

async function checkServer(
  machine: string,
  url: string,
  host: string | undefined,
): Promise<Checked> {
  const client = new MetadataClient({
    urls: () => [url],
    localAddress: localAddressOf(host),
    now: Date.now,
    emit: () => undefined,
  });
  const signal = new AbortController().signal;
  const { text } = await client.attribute('skolo-machine', { signal });
  const { name, rack } = readMachineSlice(JSON.parse(text), url);
  if (name === machine) return { good: true, text: `${url}: good for ${machine} of ${rack}` };
  const hint = 'give --machine, or correct rack.yaml';
  return { good: false, text: `${url}: takes this machine for ${name}, not ${machine}; ${hint}` };
}
