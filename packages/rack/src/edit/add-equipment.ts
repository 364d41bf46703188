/** Adds devices of another program's inventory, and their logins, to the text of a rack.yaml. */
import { stringify } from 'yaml';
import type { ForeignEquipment, ForeignLogin } from '../formats/equipment-import.ts';
import { wholeFile } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { parseRack } from '../read/load.ts';
import { canonicalAddress } from '../schema/network-fields.ts';
import { addable } from './addable.ts';
import { checkedOthers, withEntries } from './change-machines.ts';
import { plain } from './splice.ts';

interface AddedEquipment {
  text: string;
  /** To be set, in `secrets/`: each name, and the devices that need it. */
  secrets: Map<string, string[]>;
  /** In rack.yaml now, or already before. */
  equipment: AddressedEquipment[];
  /** Devices that would make rack.yaml invalid: their row, and why. */
  bad: string[];
}

type AddressedEquipment = ForeignEquipment & { address: string };

/** Where the secret of each key is: `secrets/LOGIN`, and the ending. */
const endings: Readonly<Record<string, string>> = {
  password: '',
  enablePassword: '-enable',
  community: '-community',
};

/**
 * Devices with equal logins share one. Devices that are already in rack.yaml stay unchanged.
 *
 * @throws RackError rack.yaml is invalid. @throws ByHand A section is on one line.
 */
export function addEquipment(
  text: string,
  equipment: readonly AddressedEquipment[],
  file: string,
): AddedEquipment {
  const before = parseRack(text, { file });
  const isNew = ({ name }: ForeignEquipment) => !before.equipment.has(name);
  const { good, bad } = addable(equipment, (some) => {
    for (const item of some) checkThere(before, item, file);
    withEquipment(before, text, some.filter(isNew), new Map(), file);
  });
  const wanted = good.filter(isNew);
  const logins = withLogins(before, text, good, wanted, file);
  return {
    text: withEquipment(before, logins.text, wanted, logins.nameOf, file),
    secrets: logins.secrets,
    equipment: good,
    bad: bad.map(({ item: { where, name }, why }) => `${where}: ${name}: ${why}`),
  };
}

/** @throws RackError */
function withEquipment(
  before: Rack,
  text: string,
  equipment: readonly AddressedEquipment[],
  loginOf: ReadonlyMap<ForeignEquipment, string>,
  file: string,
): string {
  const entries = equipment.map((item) => {
    const { model, ...options } = item.entry;
    const login = loginOf.get(item);
    return entryText(item.name, {
      model,
      address: item.address,
      ...(login !== undefined && { login }),
      ...options,
    });
  });
  const result = entries.length > 0 ? withEntries(text, 'equipment', entries, file) : text;
  const names = equipment.map(({ name }) => name);
  return checkedOthers(before, result, names, file);
}

/** Adds the logins of these devices, which some that are already in rack.yaml may share. */
function withLogins(
  before: Rack,
  text: string,
  equipment: readonly AddressedEquipment[],
  wanted: readonly AddressedEquipment[],
  file: string,
) {
  const secrets: AddedEquipment['secrets'] = new Map();
  const nameOf = new Map<ForeignEquipment, string>();
  let result = text;
  for (const group of Map.groupBy(equipment, ({ login }) => JSON.stringify(login)).values()) {
    const [{ login } = {}] = group;
    const added = group.filter((item) => wanted.includes(item));
    if (login === undefined || added.length === 0) continue;
    const shared = group.flatMap(({ name }) => before.equipment.get(name)?.login ?? [])[0];
    const known = shared ?? sameAccount(before, login);
    const name = known ?? freeName(result, login.username ?? 'snmp', file);
    for (const item of added) nameOf.set(item, name);
    if (known !== undefined) continue;
    const written = withReferences(login, (ending) => {
      secrets.set(
        `${name}${ending}`,
        added.map((item) => item.name),
      );
      return `secrets/${name}${ending}`;
    });
    result = withEntries(result, 'logins', [entryText(name, written)], file);
  }
  return { text: result, secrets, nameOf };
}

/** The only login with this user name, if the import does not contain the password, which could be another one. */
function sameAccount({ logins }: Rack, login: ForeignLogin): string | undefined {
  const { username, password, ...others } = login;
  if (username === undefined || password !== '' || Object.keys(others).length > 0) return undefined;
  const known = [...logins.values()].filter(
    (each) => each.username === username && each.password !== undefined,
  );
  return known.length === 1 ? known[0]?.name : undefined;
}

/** @throws RackError rack.yaml has another device with this name. */
function checkThere(
  { equipment }: Rack,
  { name, address, entry }: AddressedEquipment,
  file: string,
): void {
  const known = equipment.get(name);
  if (known === undefined) return;
  if (known.model === entry.model && known.address === canonicalAddress(address)) return;
  const ours = `${known.model} at ${known.address ?? 'no address'}`;
  const theirs = `${entry.model} at ${address}`;
  throw wholeFile(file, `rack.yaml has ${ours}, but the import has ${theirs}; fix one of them`);
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
