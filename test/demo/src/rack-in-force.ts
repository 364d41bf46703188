import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  defaultSettings,
  parseRack,
  type Rack,
  RackError,
  readRack,
  type ServiceName,
} from '@skolo/rack';

/**
 * The rack that a service runs: the file as it is, else the service's last good copy of it; undefined when neither can
 * be read. `problem` says why it is not the file as it is.
 */
export async function rackInForce(options: {
  rackFile: string;
  service: ServiceName;
  stateDir: string;
}): Promise<{ rack?: Rack; problem?: RackError }> {
  const { rackFile: file, service: strictFor, stateDir } = options;
  try {
    return { rack: await readRack(file, { strictFor }) };
  } catch (problem) {
    if (!(problem instanceof RackError)) throw problem;
    try {
      const copy = await readFile(join(stateDir, 'rack.last-good.yaml'), 'utf8');
      return { rack: parseRack(copy, { file, strictFor }), problem };
    } catch {
      return { problem };
    }
  }
}

/** How many seconds a service may take to end. */
export async function stopWithinOf(rackFile: string, service: ServiceName): Promise<number> {
  const rack = await readRack(rackFile, { strictFor: service }).catch(() => undefined);
  return (rack?.services ?? defaultSettings())[service].stopWithin;
}
