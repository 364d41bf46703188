import type { ServiceName } from '@skolo/rack/light';
import { type Flag, readFlags, UsageError, usageOf } from './flag-table.ts';
import { type ProcessFlags, processFlags, readProcessFlags } from './process-flags.ts';

export { UsageError };

/** Flags of a service: flag, else environment, else default. */
export interface Flags extends ProcessFlags {
  rackFile: string;
}

function flagsOf(service: ServiceName): Flag[] {
  return [
    {
      name: 'rack',
      value: 'FILE',
      env: 'SKOLO_RACK',
      fallback: '/etc/skolo/rack.yaml',
      help: 'inventory of the rack',
    },
    ...processFlags(service, {
      port: 'port to listen on',
      host: 'address to listen on',
      check: 'check rack.yaml and the secrets of this service, and exit',
    }),
  ];
}

/**
 * The flags of a service, or `help`. An empty variable counts as not set.
 *
 * @param args without the program
 * @throws UsageError
 */
export function parseFlags(
  service: ServiceName,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Flags | 'help' {
  const given = readFlags(flagsOf(service), args, env);
  if (given.has('help')) return 'help';
  return { rackFile: given.read('rack').text, ...readProcessFlags(given) };
}

/** The text of `--help`. */
export function usage(service: ServiceName): string {
  return usageOf(service, flagsOf(service));
}
