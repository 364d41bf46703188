/** Adds devices of another program's inventory, and their logins, to the text of a rack.yaml. */
import { stringify } from 'yaml';
import type { ForeignDevice, ForeignLogin } from '../formats/device-import.ts';
import { wholeFile } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { parseRack } from '../read/load.ts';
import { canonicalAddress } from '../schema/network-fields.ts';
import { checkOthers, withEntries } from './change-machines.ts';
import { plain } from './splice.ts';

interface AddedDevices {
  text: string;
  /** To be set, in `secrets/`: each name, and the devices that need it. */
  secrets: Map<string, string[]>;
}

/** Where the secret of each key is: `secrets/LOGIN`, and the ending. */
const endings: Readonly<Record<string, string>> = {
  password: '',
  enablePassword: '-enable',
  community: '-community',
};

/**
 * Devices with equal logins share one. Devices that are already in rack.yaml stay unchanged.
 *
 * @throws RackError It is invalid, or would become invalid. @throws ByHand A section is on one line.
 */
export function addDevices(
  text: string,
  devices: readonly (ForeignDevice & { address: string })[],
  file: string,
): AddedDevices {
  const before = parseRack(text, { file });
  const wanted = new Set(devices.filter((device) => !isThere(before, device, file)));
  const secrets: AddedDevices['secrets'] = new Map();
  const loginOf = new Map<ForeignDevice, string>();
  let result = text;
  for (const group of Map.groupBy(devices, ({ login }) => JSON.stringify(login)).values()) {
    const [{ login } = {}] = group;
    const added = group.filter((device) => wanted.has(device));
    if (login === undefined || added.length === 0) continue;
    const known = group.flatMap(({ name }) => before.infrastructure.get(name)?.login ?? [])[0];
    const name = known ?? freeName(result, login.username ?? 'snmp', file);
    for (const device of added) loginOf.set(device, name);
    if (known !== undefined) continue;
    const written = withReferences(login, (ending) => {
      secrets.set(
        `${name}${ending}`,
        added.map((device) => device.name),
      );
      return `secrets/${name}${ending}`;
    });
    result = withEntries(result, 'logins', [entryText(name, written)], file);
  }
  const entries = [...wanted].map((device) => {
    const { model, ...options } = device.entry;
    const login = loginOf.get(device);
    return entryText(device.name, {
      model,
      address: device.address,
      ...(login !== undefined && { login }),
      ...options,
    });
  });
  if (entries.length > 0) result = withEntries(result, 'infrastructure', entries, file);
  const names = [...wanted].map(({ name }) => name);
  checkOthers(before, parseRack(result, { file }), names, file);
  return { text: result, secrets };
}

function isThere(
  { infrastructure }: Rack,
  { name, address, entry }: ForeignDevice & { address: string },
  file: string,
): boolean {
  const known = infrastructure.get(name);
  if (known === undefined) return false;
  if (known.model === entry.model && known.address === canonicalAddress(address)) return true;
  const is = `${known.model} at ${known.address ?? 'no address'}`;
  const other = `${entry.model} at ${address}`;
  throw wholeFile(file, `${name}: is ${is}, but ${other} in the import; fix one of them`);
}

/** Neither a login nor a secret has it. */
function freeName(text: string, user: string, file: string): string {
  const { logins } = parseRack(text, { file });
  const base = user.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!logins.has(name) && !text.includes(`secrets/${name}`)) return name;
  }
}

function withReferences(login: ForeignLogin, secret: (ending: string) => string): object {
  return JSON.parse(JSON.stringify(login), (key, value: unknown) =>
    Object.hasOwn(endings, key) ? secret(endings[key] ?? '') : value,
  );
}

function entryText(name: string, entry: object): string {
  return `${plain(name)}: ${stringify(entry, { collectionStyle: 'flow', lineWidth: 0 }).trim()}`;
}
