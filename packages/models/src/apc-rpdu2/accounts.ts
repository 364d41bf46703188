/**
 * APC rack PDUs of the second generation: SNMP communities, and the phrases of SNMPv3 users, at the command line of their
 * network management card over ssh.
 *
 * Tried with: its simulator only.
 * rack.yaml: the login has `username` and `password` of an administrator beside `snmp`, and ssh is enabled on the card.
 * Oddities: `snmpv3` names a user by its number, and shows no phrase. What is set is kept at once.
 * Source: APC, "Network Management Card 2 User Guide", "Command Line Interface" (`snmp`, `snmpv3`, response codes); the module
 * apc_snmpv3 of Ansible's ncstate.network, which was tried with an AP9641; answers of an AP9640 in a public emulator of devices.
 */
import { DeviceRefused, type Dialect, escapePattern, openCli, targetOf } from '@skolo/equipment';
import type { Secret } from '@skolo/secrets';
import type { Accounts } from '../contract/accounts.ts';
import { typed } from '../families/command-line/accounts.ts';

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
    const target = await targetOf(device, access, 'ssh');
    const { others = [], ...first } = target.credentials;
    const session = await openCli(target, 'ssh', card, access, signal);
    const run = (command: string) => session.run(command, { signal, timeoutMs: 60_000 });

    async function set(command: string): Promise<void> {
      const code = /^E0\d\d: .*$/m.exec(await run(command))?.[0] ?? 'no code';
      if (/^E00[01]/.test(code)) return;
      throw new DeviceRefused(name, `has not taken the new value: ${code}`);
    }

    return {
      async set(values) {
        const phrases = { a: values['snmp.authKey'], c: values['snmp.privKey'] };
        const given = Object.entries(phrases).flatMap(([option, value]) =>
          value === undefined ? [] : [{ option, text: ofLength(value, phraseSigns) }],
        );
        if (given.length > 0) {
          const number = profileOf(await run('snmpv3'), first.snmp?.user);
          await set(
            `snmpv3 ${given.map(({ option, text }) => `-${option}${number} ${text}`).join(' ')}`,
          );
        }
        const community = values['snmp.community'];
        if (community === undefined) return;
        const text = ofLength(community, communitySigns);
        const known = [first, ...others].flatMap(({ snmp }) => snmp?.community?.reveal() ?? []);
        for (const number of controlsOf(await run('snmp'), known)) {
          await set(`snmp -c${number} ${text}`);
        }
      },
      async save() {},
      close: () => session.close(),
    };

    function ofLength(value: Secret, { least, most }: typeof phraseSigns): string {
      const text = typed(name, value);
      if (text.length >= least && text.length <= most) return text;
      throw new DeviceRefused(
        name,
        `takes ${least} to ${most} signs, and the new value has ${text.length}`,
      );
    }

    function profileOf(shown: string, user: string | undefined): string {
      const start = shown.indexOf('SNMPv3 User Profiles');
      const profiles = shown.slice(start, shown.indexOf('SNMPv3 Access Control', start));
      for (const [, number = '', found] of profiles.matchAll(
        /Index:\s*(\d+)\s+User Name:[ \t]*(.*)/g,
      )) {
        if (found?.trim() === user) return number;
      }
      throw new DeviceRefused(
        name,
        `has no SNMPv3 user ${user}; correct snmp.user of its login in rack.yaml, or name the user on the card`,
      );
    }

    /** Several may have it, each for other addresses. */
    function controlsOf(shown: string, known: readonly string[]): string[] {
      const found = [...shown.matchAll(/Access Control #:\s*(\d+)\s+Community:[ \t]*(.*)/g)];
      const numbers = found.flatMap(([, number = '', community = '']) =>
        known.includes(community.trim()) ? [number] : [],
      );
      if (numbers.length > 0) return numbers;
      throw new DeviceRefused(
        name,
        'has no access control with the community of its login; set it on the card, or correct the secret with skolo secrets set',
      );
    }
  },
};
