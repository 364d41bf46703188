/** The rack for a power-cycle daemon on a machine instead of the jumphost, so that it can switch the jumphost. */
import { isObject } from '@skolo/base';
import { RackError } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { parseRack } from '../read/load.ts';
import { readYaml } from '../yaml/yaml.ts';
import { ByHand } from './splice.ts';
import { splitEntry } from './split-entry.ts';

export interface DaemonRack {
  /** The sections of a rack.yaml, as plain data. */
  sections: Record<string, unknown>;
  rack: Rack;
  /** The name of the jumphost in the file. */
  jumphost: string;
}

/**
 * The jumphost becomes a machine with the same name, and the machine becomes the jumphost, so the daemon protects the machine's
 * dependencies instead of the jumphost's. It keeps its settings, but does not repair anything automatically or serve other APIs.
 *
 * @param machine has an entry in the rack.yaml, with an address
 * @throws RackError The text is invalid, or does not describe both sufficiently.
 */
export function rackForDaemonOn(text: string, machine: string, file: string): DaemonRack {
  const before = parseRack(text, { file });
  const found = before.machines.get(machine);
  if (found?.address === undefined) {
    const why = found === undefined ? 'does not exist' : 'has no address';
    const advice =
      'add it and its wiring, so that the power-cycle daemon never cuts its own power or network connection';
    throw errorAt(text, file, ['machines'], `${machine} ${why}; ${advice}`);
  }
  if (before.jumphost.power.length === 0) {
    throw errorAt(text, file, ['jumphost'], 'has no outlet; add `power:`');
  }
  const { value } = readYaml(withOwnEntry(text, machine, file), file);
  const top = mapOf(value);
  const { [machine]: own, ...machines } = mapOf(top.machines);
  const previous = { kind: 'host', ...only(wiring, top.jumphost) };
  const settings = without(['repair', 'endpoints', 'tls'], mapOf(top.services)[daemon]);
  const sections = {
    ...without(['access'], top),
    jumphost: { name: machine, ...only(wiring, own) },
    machines: { ...machines, [before.jumphost.name]: previous },
    services: { [daemon]: settings },
  };
  const rack = parseRack(JSON.stringify(sections), { file });
  return { sections, rack, jumphost: before.jumphost.name };
}

const daemon = 'power-cycle-daemon';
const wiring = ['address', 'mac', 'uplink', 'power'];

function only(keys: readonly string[], value: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(mapOf(value)).filter(([key]) => keys.includes(key)));
}

function without(keys: readonly string[], value: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(mapOf(value)).filter(([key]) => !keys.includes(key)));
}

function withOwnEntry(text: string, machine: string, file: string): string {
  const { value } = readYaml(text, file);
  if (Object.hasOwn(mapOf(mapOf(value).machines), machine)) return text;
  try {
    return splitEntry(text, [machine], file);
  } catch (error) {
    if (!(error instanceof ByHand)) throw error;
    throw errorAt(text, file, ['machines'], `${machine}: ${error.message}; write one manually`);
  }
}

function mapOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

function errorAt(text: string, file: string, path: string[], message: string): RackError {
  const { line, column } = readYaml(text, file).locate(path, 'key');
  return new RackError([{ file, line, column, path: path.join('.'), message }]);
}
