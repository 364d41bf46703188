/** How much of their configuration devices show to a login: all, a part, or they do not say. */
import type { DeviceConnection } from '@skolo/equipment/transports';
import {
  type CliDevice,
  startCiscoIos,
  startEos,
  startJunos,
  startNxos,
  startOpenwrt,
  startRouteros,
} from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { whyPartial } from './configuration/partial.ts';
import { askExtent } from './families/command-line/extent.ts';
import { Optional } from './families/optional.ts';
import { extentOf } from './families/vyatta/configuration.ts';
import { models } from './index.ts';
import { backup as junos } from './junos/junos.ts';
import { loadBackups } from './load.ts';
import { answering } from './testing/answering.ts';
import { rackDevice } from './testing/outlets.ts';
import { type account, bytesOf, simulated } from './testing/simulated-device.ts';

const backups = await loadBackups();

async function read(model: string, start: (login: typeof account) => Promise<CliDevice>) {
  const { inventory, connect } = await simulated(start, { model });
  const reading = await backups.get(model)?.(inventory).read(connect());
  if (reading === undefined) throw new Error(`${model} has no backup`);
  return reading;
}

const cisco = (about: { privilege?: number; view?: string; denied?: readonly string[] }) =>
  read('cisco-ios', (login) =>
    startCiscoIos({ ...login, enablePassword: login.password, secondMs: 1, ...about }),
  );
const nexus = (roles: string) => read('nxos', (login) => startNxos({ ...login, roles }));
const juniper = (permissions: readonly string[], denied = 'none') =>
  read('junos', (login) => startJunos({ ...login, permissions, denied }));
const mikrotik = (version: string, ...policies: string[]) =>
  read('routeros', (login) => startRouteros({ ...login, version, policies, secondMs: 1 }));

describe('what a login is shown', () => {
  it.each([
    ['privilege 15', () => cisco({ privilege: 15 })],
    ['enable', () => cisco({ privilege: 1 })],
    ['the root view', () => cisco({ privilege: 15, view: 'root' })],
    ['privilege 15 without views', () => cisco({ privilege: 15, denied: ['show parser'] })],
    ['the role network-admin', () => nexus('network-admin')],
    ['several roles', () => nexus('network-operator dev-ops vdc-admin')],
    ['all permissions', () => juniper(['admin', 'secret', 'secret-control', 'view-configuration'])],
    ['the policy sensitive', () => mikrotik('7.15.3', 'ssh', 'read', '!write', 'sensitive')],
    ['that policy only', () => mikrotik('6.49.17', 'sensitive', 'read')],
    ['root', () => read('openwrt', (login) => startOpenwrt({ ...login, uid: 0 }))],
  ])('is everything with %s', async (_what, reading) => {
    expect((await reading()).extent).toBe('whole');
  });

  it.each([
    [() => cisco({ privilege: 7 }), 'the login has privilege level 7'],
    [() => cisco({ privilege: 14 }), 'the login has privilege level 14'],
    [() => cisco({ privilege: 15, view: 'NOC-VIEW' }), 'the login is in the parser view NOC-VIEW'],
    [() => nexus('network-operator'), 'the login only has the role network-operator'],
    [() => nexus('my-network-adminx priv-7'), 'only has the role my-network-adminx priv-7'],
    [() => juniper(['view', 'view-configuration']), 'lacks the permission secret'],
    [() => juniper(['secret-control', 'view']), 'lacks the permission secret'],
    [
      () => juniper(['secret', 'view-configuration'], '(system login)|snmp'),
      'or denies statements',
    ],
    [() => mikrotik('7.15.3', 'ssh', 'read', '!sensitive'), 'lacks the policy sensitive'],
    [() => mikrotik('6.49.17', 'local', 'read', 'test'), 'lacks the policy sensitive'],
    [
      () => read('openwrt', (login) => startOpenwrt({ ...login, uid: 1000 })),
      'the login has user ID 1000',
    ],
  ])('is a part: %s', async (reading, why) => {
    const { extent } = await reading();

    expect(extent).toEqual({ part: expect.stringContaining(why) });
  });

  it.each([
    ['a switch that rejects both questions', () => cisco({ privilege: 15, denied: ['show p'] })],
    ['a class with some areas', () => juniper(['secret', 'interface', 'routing'])],
    ['a group that is no list of policies', () => mikrotik('7.15.3')],
  ])('is unknown to %s', async (_what, reading) => {
    expect((await reading()).extent).toBe('unknown');
  });

  it('is not asked where no answer is known', async () => {
    const { extent } = await read('eos', (login) => startEos(login));

    expect(extent).toBeUndefined();
  });

  it('at privilege 7 would begin, end and count as the whole one', async () => {
    const { content } = await cisco({ privilege: 7 });
    const model = backups.get('cisco-ios')?.(rackDevice('cisco-ios', {}));

    expect(await model?.incomplete(content)).toBeUndefined();
    expect(model?.isExact?.(content)).toBe(true);
    expect(bytesOf(content).toString()).not.toContain('power inline');
  });

  it('is only asked by a name that means nothing in a command', async () => {
    const asked: string[] = [];
    const connection: DeviceConnection = {
      ...answering(rackDevice('nxos', {}), () => Buffer.alloc(0)),
      username: async () => 'ann"] group]; /system reboot',
    };
    const ask = async (command: string) => {
      asked.push(command);
      return Buffer.from('0');
    };
    const says = { whole: /^0$/gm, part: /^(.+)$/gm, why: '$1' };

    const named = await askExtent(
      connection,
      [{ command: 'show {user}', ...says }],
      ask,
      new Optional(connection),
    );
    const unnamed = await askExtent(
      connection,
      [{ command: 'id -u', ...says }],
      ask,
      new Optional(connection),
    );

    expect([named, unnamed, asked]).toEqual(['unknown', 'whole', ['id -u']]);
  });
});

describe('marks of what is withheld', () => {
  const head = '## Last commit: x\nversion 1;\n';
  const readJunos = (body: string) => {
    const answers = new Map([['show configuration | display omit | no-more', `${head}${body}`]]);
    const answer = (command: string) => Buffer.from(answers.get(command) ?? 'unknown command.\n');
    return junos().read(answering(rackDevice('junos', {}), answer));
  };

  it.each([
    [
      'root-authentication {\n    encrypted-password /* SECRET-DATA */; ## SECRET-DATA\n}\n',
      'encrypted-password',
    ],
    ['system { /* ACCESS-DENIED */ };\nsnmp { /* ACCESS-DENIED */ };\n', 'system, snmp'],
    ['tacplus-server {\n    10.0.0.5 secret /* SECRET-DATA */;\n}\n', '10'],
  ])('are seen in Junos: %j', async (body, named) => {
    const { extent } = await readJunos(body);

    expect(extent).toEqual({ part: `the class of the login may not see ${named}` });
  });

  it('are not those in texts and comments', async () => {
    const { extent } = await readJunos(
      'system {\n    message "{ \\" { /* SECRET-DATA */;";\n    # /* ACCESS-DENIED */\n}\n',
    );

    expect(extent).toBe('unknown');
  });

  it.each([
    ['system {\n    plaintext-password ********\n}\n', 'plaintext-password'],
    ['system {\n    encrypted-password "****************"\n}\n', 'encrypted-password'],
    [
      "set system host-name x\nset vpn pre-shared-secret '****************'\nset y\n",
      'pre-shared-secret',
    ],
  ])('are seen in EdgeOS and VyOS: %j', (text, named) => {
    expect(extentOf(text)).toEqual({ part: `secrets are hidden, such as ${named}` });
    expect(extentOf(text.replaceAll('*', 'x'))).toBe('whole');
  });

  it('are not lines of a banner', () => {
    const banner = String.raw`login {
    banner {
        pre-login "********************"
        post-login "\n********\nWelcome\n********"
    }
}
`;
    expect(extentOf(banner)).toBe('whole');
  });
});

describe('the reason', () => {
  it.each([...models.values()].filter(({ backup }) => 'load' in backup))(
    'says what $name needs',
    (model) => {
      const needs = 'needs' in model.backup ? model.backup.needs : '';

      expect(whyPartial({ part: 'x' }, model)).toBe(
        `only a part of the configuration is shown: x; a backup requires ${needs}`,
      );
      expect(needs).toMatch(/^(?:a|an|the|that|privilege\w*) \S/);
      expect(whyPartial('whole', model)).toBeUndefined();
      expect(whyPartial(undefined, model)).toBeUndefined();
    },
  );
});
