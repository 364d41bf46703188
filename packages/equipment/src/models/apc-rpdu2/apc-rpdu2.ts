/**
 * APC switched rack PDU of the second generation (AP8900 and its family, AP8600 with a meter for each outlet), over SNMP.
 *
 *     pdu-1: { model: apc-rpdu2, address: 192.168.1.30, login: pdus, outlets: 24 }
 *
 * Verified with: Debian's snmpd (5.9.3) with these objects; our simulator, set by net-snmp's tools (5.9.3) through these objects, and by
 * fence_apc_snmp (4.12.1) through the older ones that such a PDU also has.
 *
 * Quirks. The command is 1 on, 2 off, but the state next to it is 1 off, 2 on. The off time of its own reboot is set on the device (5 to
 * 60 s); afterwards an outlet is on even if it was off before. The object that sets all outlets at once has other numbers (1 on, 3 off) in
 * another table: objects written here always end in an outlet's number. Outlets without a meter report -1 W, or nothing. Switching
 * requires a community or user with write access.
 *
 * Source: PowerNet-MIB 4.2.6, rPDU2DeviceConfigTable, rPDU2OutletSwitchedConfigTable, rPDU2OutletSwitchedControlTable,
 * rPDU2OutletSwitchedStatusTable, rPDU2OutletMeteredStatusTable. It has no object for outlet groups, which the card's web page shows.
 */

import type { Secret } from '@skolo/base/secrets';
import { DeviceRejected, type Dialect, escapePattern } from '@skolo/equipment/transports';
import type { Accounts } from '../contract/accounts.ts';
import { driverKind } from '../contract/outlets.ts';
import { typed } from '../families/command-line/accounts.ts';
import { openCliOf } from '../families/command-line/session.ts';
import { snmpOutlets } from '../families/snmp-outlets.ts';

const powerNet = '1.3.6.1.4.1.318.1.1.26';
const outletGroup = `${powerNet}.9`;

export const outlets = driverKind({
  model: 'apc-rpdu2',
  automaticRepair: true,
  create: (device, deps) =>
    snmpOutlets(device, deps, {
      /** rPDU2OutletSwitchedControlCommand. */
      command: { column: `${outletGroup}.2.4.1.5`, on: 1, off: 2, cycle: 3 },
      /** rPDU2OutletSwitchedStatusState. */
      state: { column: `${outletGroup}.2.3.1.5`, on: 2, off: 1 },
      /** rPDU2OutletMeteredStatusPower, in watts. */
      more: {
        column: `${outletGroup}.4.3.1.7`,
        read: (watts = -1) => (watts >= 0 ? { watts } : {}),
      },
      /** rPDU2DeviceConfigColdstartDelay; rPDU2OutletSwitchedConfigPowerOnTime, -Name and -RebootDuration. */
      settings: {
        coldStartDelay: `${powerNet}.4.1.1.6`,
        powerOnDelay: `${outletGroup}.2.1.1.5`,
        name: `${outletGroup}.2.1.1.3`,
        cycleSeconds: `${outletGroup}.2.1.1.7`,
      },
    }),
});

/**
 * APC rack PDUs of the second generation: SNMP communities and the passphrases of SNMPv3 users, set at the command line of the network
 * management card over ssh.
 *
 * Verified with: its simulator only.
 * rack.yaml: the login has `username` and `password` of an administrator in addition to `snmp`, and ssh is enabled on the card.
 * Quirks: `snmpv3` identifies a user by number, and shows no passphrases. Settings are saved immediately.
 * Source: APC, "Network Management Card 2 User Guide", "Command Line Interface" (`snmp`, `snmpv3`, response codes); the module apc_snmpv3
 * of Ansible's ncstate.network, which was tried with an AP9641; answers of an AP9640 in a public emulator of devices.
 */

const card: Dialect = {
  name: 'apc-card',
  prompt: /^(?<base>[A-Za-z0-9][\w.-]{0,62})>$/,
  prompts: (base) => `${escapePattern(base)}>`,
  setUp: [],
  pagers: [],
  errors: [/^E1\d\d: /],
  noise: [],
  signOut: ['exit'],
};

const phraseSigns = { least: 15, most: 32 };
const communitySigns = { least: 1, most: 15 };

export const accounts: Accounts = {
  parts: ['snmp.community', 'snmp.authKey', 'snmp.privKey'],
  async open(device, access, signal) {
    const { name } = device;
    const { others = [], ...first } = await access.credentials();
    const session = await openCliOf({ ...device, transport: 'ssh' }, access, card, signal);
    const run = (command: string) => session.run(command, { signal, timeoutMs: 60_000 });

    async function set(command: string): Promise<void> {
      const code = /^E0\d\d: .*$/m.exec(await run(command))?.[0] ?? 'no code';
      if (/^E00[01]/.test(code)) return;
      throw new DeviceRejected(name, `did not accept the new value: ${code}`);
    }

    return {
      async set(values) {
        const phrases = { a: values['snmp.authKey'], c: values['snmp.privKey'] };
        const given = Object.entries(phrases).flatMap(([option, value]) =>
          value === undefined ? [] : [{ option, text: ofLength(name, value, phraseSigns) }],
        );
        if (given.length > 0) {
          const number = profileOf(name, await run('snmpv3'), first.snmp?.user);
          await set(
            `snmpv3 ${given.map(({ option, text }) => `-${option}${number} ${text}`).join(' ')}`,
          );
        }
        const community = values['snmp.community'];
        if (community === undefined) return;
        const text = ofLength(name, community, communitySigns);
        const known = [first, ...others].flatMap(({ snmp }) => snmp?.community?.reveal() ?? []);
        for (const number of controlsOf(name, await run('snmp'), known)) {
          await set(`snmp -c${number} ${text}`);
        }
      },
      async save() {},
      close: () => session.close(),
    };
  },
};

function ofLength(device: string, value: Secret, { least, most }: typeof phraseSigns): string {
  const text = typed(device, value);
  if (text.length >= least && text.length <= most) return text;
  const what = `accepts ${least} to ${most} characters, but the new value has ${text.length}`;
  throw new DeviceRejected(device, what);
}

function profileOf(device: string, shown: string, user: string | undefined): string {
  const start = shown.indexOf('SNMPv3 User Profiles');
  const profiles = shown.slice(start, shown.indexOf('SNMPv3 Access Control', start));
  const rows = profiles.matchAll(/Index:\s*(\d+)\s+User Name:[ \t]*(.*)/g);
  const [, number] = [...rows].find(([, , found]) => found?.trim() === user) ?? [];
  if (number !== undefined) return number;
  throw new DeviceRejected(
    device,
    `does not have the SNMPv3 user ${user}; fix snmp.user in its login in rack.yaml, or add the user on the card`,
  );
}

/** Several may have it, each for other addresses. */
function controlsOf(device: string, shown: string, known: readonly string[]): string[] {
  const found = [...shown.matchAll(/Access Control #:\s*(\d+)\s+Community:[ \t]*(.*)/g)];
  const numbers = found.flatMap(([, number = '', community = '']) =>
    known.includes(community.trim()) ? [number] : [],
  );
  if (numbers.length > 0) return numbers;
  throw new DeviceRejected(
    device,
    'has no access control entry for the community in its login; add one on the card, or fix the secret with skolo secrets set',
  );
}

export { backup } from '../families/apc-card-backup.ts';
