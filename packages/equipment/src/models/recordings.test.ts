/**
 * Each output that a real device printed is read over ssh, and gives the rows that other people's parsers find in it.
 *
 * Not read, because no model runs the command: neighbours, addresses and routing protocols of all platforms, `err-disabled` lists, the ARP
 * tables of ProCurve and EdgeSwitch, RouterOS' tables of PoE settings (its monitor is read) and its `print` without `terse`, the ARP table
 * of EdgeRouter and Linux (/proc/net/arp is read), and the version of Junos (its configuration names it).
 */
import { describe, expect, it } from 'vitest';
import { isOfOne, macOf } from './families/mac-address.ts';
import { models } from './index.ts';
import { loadConnectedHosts } from './load.ts';
import { openDriver, patient, rackDevice } from './testing/outlets.ts';
import { proofs } from './testing/proofs.ts';
import {
  genieOutputs,
  napalmOutputs,
  noRecordings,
  type RecordedOutput,
  recordedOutputs,
} from './testing/recordings.ts';
import { account, repeating } from './testing/simulated-device.ts';

type Table = 'macs' | 'links' | 'arp';

interface Platform {
  platform: string;
  model: string;
  prompt: string;
  /** In napalm's tests. */
  napalm?: string;
  /** What the model asks for, the commands of the recordings that have the same output, and an empty table. */
  tables: Partial<Record<Table, { asked: string; recorded: string[]; empty: string }>>;
  /** `port age` of the device's own addresses. */
  own?: RegExp;
  /** Rows of the other parsers, `mac port`, `port link` or `mac address`, that are rightly missing, and why. */
  without?: [row: RegExp, why: string][];
}

const platforms: Platform[] = [
  {
    platform: 'cisco_ios',
    napalm: 'ios',
    model: 'cisco-ios',
    own: /^(?:CPU|Router|Switch|Vl\d+) $| -$/,
    prompt: 'switch#',
    tables: {
      macs: {
        asked: 'show mac address-table',
        recorded: ['show mac-address-table'],
        empty: 'Vlan    Mac Address       Type        Ports',
      },
      links: {
        asked: 'show interfaces status',
        recorded: ['show interfaces status'],
        empty: 'Port      Name               Status       Vlan       Duplex  Speed Type',
      },
      arp: {
        asked: 'show ip arp',
        recorded: ['show ip arp', 'show arp'],
        empty: 'Protocol  Address          Age (min)  Hardware Addr   Type   Interface',
      },
    },
    without: [[/^[\da-f:]{17} $/, 'it is at no port']],
  },
  {
    platform: 'cisco_nxos',
    napalm: 'nxos_ssh',
    model: 'nxos',
    own: /^sup-eth1/,
    without: [[/^f6:0c:be:90:7a:07 Po2$/, 'it is also at the LAG of its port']],
    prompt: 'switch#',
    tables: {
      macs: {
        asked: 'show mac address-table',
        recorded: ['show mac address-table'],
        empty: '   VLAN     MAC Address      Type      age     Secure NTFY Ports',
      },
      links: {
        asked: 'show interface status',
        recorded: ['show interface status'],
        empty: 'Port          Name               Status    Vlan      Duplex  Speed   Type',
      },
      arp: {
        asked: 'show ip arp',
        recorded: ['show ip arp', 'show ip arp detail', 'show ip arp detail vrf all'],
        empty: 'Address         Age       MAC Address     Interface',
      },
    },
  },
  {
    platform: 'arista_eos',
    model: 'eos',
    prompt: 'switch#',
    tables: {
      macs: {
        asked: 'show mac address-table',
        recorded: ['show mac address-table'],
        empty: 'Vlan    Mac Address       Type        Ports      Moves   Last Move',
      },
      links: {
        asked: 'show interfaces status',
        recorded: ['show interfaces status'],
        empty:
          'Port       Name   Status       Vlan     Duplex Speed  Type            Flags Encapsulation',
      },
      arp: {
        asked: 'show ip arp',
        recorded: ['show ip arp'],
        empty: 'Address         Age (sec)  Hardware Addr   Interface',
      },
    },
  },
  {
    platform: 'juniper_junos',
    model: 'junos',
    prompt: 'admin@switch>',
    tables: {
      macs: {
        asked: 'show ethernet-switching table',
        recorded: ['show ethernet-switching table'],
        empty: 'Ethernet switching table : 0 entries, 0 learned',
      },
      links: {
        asked: 'show interfaces terse',
        recorded: ['show interfaces terse'],
        empty: 'Interface               Admin Link Proto    Local                 Remote',
      },
      arp: {
        asked: 'show arp no-resolve',
        recorded: ['show arp no-resolve'],
        empty: 'MAC Address       Address         Interface                Flags',
      },
    },
  },
  {
    platform: 'hp_procurve',
    model: 'procurve',
    prompt: 'switch#',
    tables: {
      macs: {
        asked: 'show mac-address',
        recorded: ['show mac-address'],
        empty: ' Status and Counters - Port Address Table',
      },
      links: {
        asked: 'show interfaces brief',
        recorded: ['show interfaces brief'],
        empty: ' Status and Counters - Port Status',
      },
    },
  },
  {
    platform: 'mikrotik_routeros',
    model: 'routeros',
    prompt: '',
    own: / L$/,
    tables: {
      macs: {
        asked: '/interface bridge host print terse',
        recorded: ['interface bridge host print terse without-paging'],
        empty: '',
      },
      arp: {
        asked: '/ip arp print terse',
        recorded: ['ip arp print terse without-paging'],
        empty: '',
      },
      links: { asked: '/interface print terse', recorded: [], empty: '' },
    },
  },
];

const napalmTests: Partial<Record<Table, string>> = {
  macs: 'test_get_mac_address_table',
  arp: 'test_get_arp_table',
};

const cases = platforms.flatMap((about) =>
  Object.entries(about.tables).flatMap(([name, { recorded }]) => {
    const table = name as Table;
    const test = about.napalm && napalmTests[table];
    const outputs = recorded.flatMap((command) => recordedOutputs(about.platform, command));
    return [...outputs, ...(test ? napalmOutputs(`${about.napalm}/${test}`) : [])].map(
      (output) => ({ name: output.name, about, table, output }),
    );
  }),
);

/** A device that prints these outputs. */
async function replay(
  { model, prompt }: Pick<Platform, 'model' | 'prompt'>,
  answers: Map<string, string>,
) {
  const { options } = rackDevice(model, {});
  const greeting = [{ kind: 'shell', said: [{ received: `\r\n${prompt}` }] }] as const;
  return await repeating(greeting, { model, options }, (command) => {
    const isSetUp = /^terminal |^no page/.test(command);
    return answers.get(command) ?? (isSetUp ? '' : "% Invalid input detected at '^' marker.");
  });
}

/** The output of one command; all other tables are empty. */
async function read(about: Platform, table: Table, text: string) {
  const tables = Object.entries(about.tables);
  const { inventory, connect } = await replay(
    about,
    new Map(tables.map(([name, { asked, empty }]) => [asked, name === table ? text : empty])),
  );
  const create = await loadConnectedHosts(about.model);
  if (create === undefined) throw new Error(`${about.model} is not read`);
  return await create(inventory).read({
    connection: connect(),
    credentials: () => Promise.reject(new Error('no SNMP here')),
    signal: new AbortController().signal,
  });
}

/** The name of a LAG, of which each parser has its own form. */
function short(port: string): string {
  return port.replace('Port-channel', 'Po');
}

/** `mac port`, `port link` or `mac address`, sorted, without rows that are rightly missing. */
function theirs(
  { model, own: ownRow, without = [] }: Platform,
  table: Table,
  { rows }: RecordedOutput,
  own: readonly string[],
): string[] {
  const network = models.get(model)?.network;
  const named = (port: string) => short(network?.find(port, {}) ?? port);
  const found = rows.flatMap((row) => {
    const of = (...keys: string[]) => keys.map((key) => row[key]).find(Boolean) ?? '';
    const port = named(
      of(
        'destination_port',
        'on_interface',
        'port',
        'ports',
        'logical_interface',
        'interface',
      ).replace(/\.\d+$|-Trk\d+$/, ''),
    );
    const mac = macOf(of('destination_address', 'mac_address', 'hardware_address'));
    if (table === 'links')
      return `${port} ${/^(?:up|connected)$/i.test(of('status')) ? 'up' : 'down'}`;
    // Neither multicast nor incomplete.
    if (mac.length !== 17 || !isOfOne(mac)) return [];
    const age = table === 'arp' ? of('age', 'age_min') : of('local');
    if (ownRow?.test(`${port} ${age}`)) {
      expect(own).toContain(mac);
      return [];
    }
    return `${mac} ${table === 'macs' ? port : of('ip_address', 'address')}`;
  });
  const counted = found.filter((row) => !without.some(([pattern]) => pattern.test(row)));
  return [...new Set(counted)].sort();
}

describe.skipIf(noRecordings)('what a real device printed', () => {
  it.each(cases)('$name', async ({ about, table, output }) => {
    const seen = await read(about, table, output.text);

    const rows =
      table === 'links'
        ? seen.ports.map(({ name, up }) => `${name} ${up ? 'up' : 'down'}`)
        : seen.hosts.map(
            ({ mac, port, address }) => `${mac} ${table === 'macs' ? short(port ?? '') : address}`,
          );
    expect([...new Set(rows)].sort()).toEqual(theirs(about, table, output, seen.own));
    expect(seen.unread).toBeUndefined();
  });
});

/** Folders of genie's tests by model. */
const genie: [place: string, model: string, table: Table][] = [
  ['ios/ShowArp', 'cisco-ios', 'arp'],
  ['ios/ShowIpArp', 'cisco-ios', 'arp'],
  ['ios/ShowMacAddressTable', 'cisco-ios', 'macs'],
  ['iosxe/ShowArp', 'cisco-ios', 'arp'],
  ['iosxe/ShowIpArp', 'cisco-ios', 'arp'],
  ['iosxe/ShowMacAddressTable', 'cisco-ios', 'macs'],
  ['iosxe/ShowMacAddressTableDynamic', 'cisco-ios', 'macs'],
  ['junos/ShowArpNoResolve', 'junos', 'arp'],
  ['nxos/ShowIpArp', 'nxos', 'arp'],
  ['nxos/ShowIpArpDetailVrfAll', 'nxos', 'arp'],
  ['nxos/ShowMacAddressTable', 'nxos', 'macs'],
];

describe.skipIf(noRecordings)('the addresses in what a real device printed', () => {
  it.each(
    genie.flatMap(([place, model, table]) =>
      genieOutputs(place).map((output) => ({ ...output, model, table })),
    ),
  )('$name', async ({ text, macs, model, table }) => {
    const about = platforms.find((each) => each.model === model);
    if (about === undefined) throw new Error(`${model} has no tables`);

    const { hosts, own, unread } = await read(about, table, text);

    const seen = new Set([...hosts.map(({ mac }) => mac), ...own]);
    expect([...seen].sort()).toEqual(macs.filter(isOfOne).sort());
    expect(unread).toBeUndefined();
  });
});

/** What a device says about itself, where skolo asks for that. */
const versions: [
  platform: string,
  model: string,
  prompt: string,
  hardware: string,
  firmware: string,
][] = [
  ['cisco_ios', 'cisco-ios', 'switch#', 'hardware', 'version'],
  // The hardware is not in what a backup reads.
  ['cisco_nxos', 'nxos', 'switch#', '', 'os'],
  ['arista_eos', 'eos', 'switch#', 'model', 'image'],
  ['ubiquiti_edgeswitch', 'edgeswitch', '(switch) #', 'switch_type', 'version'],
  ['ubiquiti_edgerouter', 'edgeos', 'admin@router:~$', 'hardware_model', 'version'],
];
/** `16.09.03` is what IOS XE says in its first line, and `16.9.3` in its second one. */
/** Of a stack. */
const firstOf = (members?: string) => members?.split(',')[0];
const plain = (version = '') => version.replace(/ .*/, '').replace(/\.0(?=\d)/g, '.');

describe.skipIf(noRecordings)('a real device', () => {
  it.each(
    versions.flatMap(([platform, model, prompt, ...fields]) =>
      recordedOutputs(platform, 'show version').map((output) => ({
        ...output,
        model,
        prompt,
        fields,
      })),
    ),
  )('of $model names itself: $name', async ({ text, rows: [row = {}], model, prompt, fields }) => {
    const { reported, backup } = models.get(model) ?? {};
    const [hardware = '', firmware = ''] = fields;

    expect(reported?.model.test(text)).toBe(true);
    if (hardware !== '') expect(reported?.model.exec(text)?.[1]).toBe(firstOf(row[hardware]));
    expect(plain(reported?.firmware.exec(text)?.[1])).toBe(plain(row[firmware]));

    // Others are asked for their serial number in another way.
    if (!['cisco-ios', 'eos', 'edgeswitch'].includes(model)) return;
    if (backup === undefined || 'no' in backup) throw new Error(`${model} has no backup`);
    const answers = new Map([
      ['show running-config', 'end'],
      ['show version', text],
    ]);
    const { inventory, connect } = await replay({ model, prompt }, answers);
    const reading = await (await backup.load()).backup(inventory).read(connect());
    expect(reading.identity.serial).toBe(firstOf(row.serial ?? row.serial_number));
  });

  it.each(recordedOutputs('cisco_ios', 'show power inline'))(
    'supplies power: $name',
    async ({ text, rows }) => {
      const answers = new Map([['show power inline', text]]);
      const { inventory } = await replay({ model: 'cisco-ios', prompt: 'switch#' }, answers);
      const { outlets } = await import('./cisco-ios/outlets.ts');
      const driver = openDriver(outlets, { ...inventory, login: account });
      // From four ports on, the whole table is read.
      const names =
        rows.length > 0
          ? rows.map((row) => row.interface ?? '')
          : ['Gi1/0/1', 'Gi1/0/2', 'Gi1/0/3', 'Gi1/0/4'];

      const reading = driver.read(names, patient());

      if (rows.length === 0) return await expect(reading).rejects.toThrow('No inline power card');
      const seen = [...(await reading)].map(([port, { state, delivering }]) => [
        port,
        state,
        delivering,
      ]);
      expect(seen).toEqual(
        rows.map((row) => [
          row.interface,
          row.admin_status === 'off' ? 'off' : 'on',
          row.operational_status === 'on',
        ]),
      );
    },
  );

  it.each(recordedOutputs('hp_procurve', 'show version'))(
    'of another maker is not a procurve: $name',
    ({ text }) => {
      expect(models.get('procurve')?.reported?.model.test(text)).toBe(false);
    },
  );
});

it.skipIf(noRecordings)('a model of which tables are recorded is listed with them', () => {
  const names = { macs: 'MAC tables', links: 'links', arp: 'ARP tables' };
  const covered = new Map<string, Set<string>>();
  for (const { about, table } of cases) {
    covered.set(about.model, (covered.get(about.model) ?? new Set()).add(names[table]));
  }

  for (const [model, kinds] of covered)
    expect(proofs.get(model)?.recorded, model).toEqual(expect.arrayContaining([...kinds]));
});
