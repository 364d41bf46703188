import { defaultSettings, readRack, type ServiceName } from '@skolo/rack';

/** How many seconds a service may take to end; the usual time while rack.yaml cannot be read. */
export async function stopWithinOf(rackFile: string, service: ServiceName): Promise<number> {
  const rack = await readRack(rackFile, { strictFor: service }).catch(() => undefined);
  return (rack?.services ?? defaultSettings())[service].stopWithin;
}
