/** Loads a model's drivers when they are required. */
import type { CreateBackup } from './contract/backup.ts';
import type { CreateConnectedHostsReader } from './contract/connected-hosts.ts';
import type { DriverKind } from './contract/outlets.ts';
import { models } from './index.ts';

/** The drivers of all models that switch power, by model name. */
export async function loadDrivers(): Promise<ReadonlyMap<string, DriverKind>> {
  const drivers = new Map<string, DriverKind>();
  for (const { name, power } of models.values()) {
    if (power === undefined) continue;
    const { outlets } = await power.load();
    drivers.set(name, {
      ...outlets,
      create: (device, deps) =>
        outlets.create(device, deps, (outlet) => power.outlets.find(outlet, device.options)),
    });
  }
  return drivers;
}

/** The backups of all models that support them, by model name. */
export async function loadBackups(): Promise<ReadonlyMap<string, CreateBackup>> {
  const backups = new Map<string, CreateBackup>();
  for (const { name, backup } of models.values()) {
    if ('load' in backup) backups.set(name, (await backup.load()).backup);
  }
  return backups;
}

/**
 * Reads which hosts are connected to a model's ports; undefined if not supported. Ports are named as in rack.yaml. Unknown names are kept.
 */
export async function loadConnectedHosts(
  model: string,
): Promise<CreateConnectedHostsReader | undefined> {
  const { network, connectedHosts } = models.get(model) ?? {};
  if (connectedHosts === undefined || 'no' in connectedHosts) return undefined;
  const create = (await connectedHosts.load()).connectedHosts;
  return (device) => ({
    async read(access) {
      const seen = await create(device).read(access);
      const named = (port: string) => network?.find(port, device.options) ?? port;
      return {
        ...seen,
        hosts: seen.hosts.map((host) =>
          host.port === undefined ? host : { ...host, port: named(host.port) },
        ),
        ports: seen.ports.map(({ name, up }) => ({ name: named(name), up })),
      };
    },
  });
}
