import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runs } from '@skolo/base/testing';
import { DeviceRejected } from '@skolo/equipment/transports';
import type { Frr } from '@skolo/simulators';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import type { BackupModel } from '../contract/backup.ts';
import { type RealDevice, realDevice } from '../testing/real-device.ts';
import { backup } from './backup.ts';
import { frrConfigurations } from './testing/frr-configurations.ts';
import { type Account, shareFrr } from './testing/shared-frr.ts';

/** Each test replaces its configuration anyway. */
const start = shareFrr();

/** These lines as FRR itself shows them after starting with them. */
async function printed(frr: Frr, lines: readonly string[]): Promise<string> {
  await writeFile(join(frr.dir, 'frr.conf'), `${lines.join('\n')}\n`);
  await frr.restart();
  return await frr.vtysh('show running-config');
}

/** FRR shows route maps in the order in which it received them, which has no meaning. */
function blocks(text: string): string[] {
  return text.split(/^!\n/m).sort();
}

const configuration = [
  'ip route 10.1.0.0/16 Null0',
  'ip route 10.2.0.0/16 10.9.9.9',
  'vrf red',
  ' ip route 10.3.0.0/16 10.9.9.9',
  'exit-vrf',
];
const more = [
  'enable password canary-1',
  'interface eth7',
  ' description to the lab',
  ' ip address 10.5.5.1/24',
  ' ip ospf message-digest-key 1 md5 canary-2',
  'exit',
  'access-list admins seq 5 permit 10.0.0.0/8',
  'ip prefix-list ours seq 5 permit 10.0.0.0/8 le 24',
  'route-map out permit 10',
  ' match ip address prefix-list ours',
  'exit',
  'router bgp 65001',
  ' neighbor 10.0.0.2 remote-as 65002',
  ' neighbor 10.0.0.2 password canary-3',
  ' address-family ipv4 unicast',
  '  network 10.1.0.0/16',
  '  neighbor 10.0.0.2 route-map out out',
  ' exit-address-family',
  'exit',
];
const others = [
  'ip route 10.1.0.0/16 10.9.9.9',
  'ip route 10.7.0.0/16 Null0',
  'router bgp 65009',
  ' neighbor 10.0.0.3 remote-as 65002',
  'exit',
  'route-map out permit 10',
  ' set metric 5',
  'exit',
];

interface Sitting extends RealDevice {
  router: Frr;
  model: BackupModel;
  version: string;
  /** Told by `apply`. */
  said: string[];
  apply(content: string): Promise<void>;
  running(): Promise<string>;
}

/** `configuration` as FRR shows it, and `others`. */
let version: string | undefined;
let different: string | undefined;

/** A router whose configuration differs from the version. */
async function sit(context: TestContext, account?: Account): Promise<Sitting> {
  const router = await start(context, account);
  const real = await realDevice(router, { model: 'frr' });
  const model = backup();
  const asRoot = router.daemons.includes('bgpd');
  version ??= await printed(router, asRoot ? [...configuration, ...more] : configuration);
  // Restarting it takes longer than everything else.
  if (different === undefined || (await router.vtysh('show running-config')) !== different) {
    different = await printed(router, asRoot ? others : others.slice(0, 2));
  }
  const said: string[] = [];
  return {
    ...real,
    router,
    model,
    version,
    said,
    apply: async (content) =>
      model.restore.apply?.(real.connect(), Buffer.from(content), (text) => said.push(text)),
    running: () => router.vtysh('show running-config'),
  };
}

describe('a version of FRRouting', () => {
  it.for([
    // Other tests below restore both of these, too.
    ...([
      ['to the account that is vtysh', 'vtysh', undefined],
      ['in a shell', 'shell', undefined],
    ] as const),
    ['at the command line', 'vtysh', 'no-commands'],
  ] as const)('is given back %s, and saved', async ([, account, fault], context) => {
    const { router, version, said, apply, running } = await sit(context, account);
    await router.setFault(fault);

    await apply(version);

    expect(await running()).toBe(version);
    expect(said.slice(-2)).toEqual([
      'read back: the running configuration matches the version',
      'saved with write memory',
    ]);
    expect(said.join()).not.toContain('canary');
    await router.restart();
    expect(await running()).toBe(version);
  });

  it('does nothing but save where it is there already', async (context) => {
    const { said, apply, running } = await sit(context);

    await apply(await running());

    expect(said).toEqual([
      'read back: the running configuration matches the version',
      'saved with write memory',
    ]);
  });

  it('is not half there when the session dies', async (context) => {
    const { router, version, said, apply, running } = await sit(context);
    await router.setFault('dies-configuring');

    await apply(version);

    expect(
      said.filter((text) => text.includes('checking which lines the router accepted')),
    ).toHaveLength(1);
    expect(said.filter((text) => text.startsWith('round'))).toHaveLength(1);
    expect(await running()).toBe(version);
  });

  it('that FRR does not take whole is taken back, and nothing is saved', async (context) => {
    const { router, version, said, apply, running } = await sit(context);
    const before = await running();
    const broken = version.replace(
      '!\nend',
      'enable passwort canary-9\nip route 10.8.0.0/33 Null0\n!\nend',
    );

    const restore = apply(broken);

    await expect(restore).rejects.toThrow(DeviceRejected);
    await expect(restore).rejects.toThrow(
      /did not accept the whole version, which still differs in .*10\.8\.0\.0\/33.*; the previous configuration was restored, and nothing was saved$/s,
    );
    expect(blocks(await running())).toEqual(blocks(before));
    await router.restart();
    expect(blocks(await running())).toEqual(blocks(before));
    expect(said.at(-1)).not.toContain('saved');
  });

  it('that cannot be saved says so', async (context) => {
    const { router, version, apply, running } = await sit(context, 'shell');
    const vtysh = join(router.dir, 'bin', 'vtysh');
    const script = await readFile(vtysh, 'utf8');
    onTestFinished(() => writeFile(vtysh, script));
    const fails = `case "$*" in *'write memory'*) echo "% Can't open file"; exit 1 ;; esac`;
    await writeFile(vtysh, script.replace('\n', `\n${fails}\n`));

    await expect(apply(version)).rejects.toThrow(
      "is running the version, but did not save it: % Can't open file; until the version is saved, a restart of FRR loads a different configuration",
    );
    expect(await running()).toBe(version);
  });

  it.for([
    ['what the router has', 'rejected', (version: string) => version],
    ['the version', undefined, (version: string) => version.slice(0, -20)],
  ] as const)('is not typed where %s is not whole', async ([, fault, cut], context) => {
    const { router, version, said, apply, running } = await sit(context);
    const before = await running();
    await router.setFault(fault);

    await expect(apply(cut(version))).rejects.toThrow('the configuration is incomplete');

    expect(said).toEqual([]);
    expect(await running()).toBe(before);
  });

  it('leaves alone what no command changes', async (context) => {
    const { version, said, apply, running } = await sit(context);

    await apply(version.replace(/^hostname .*$/m, 'hostname another'));

    expect(await running()).toBe(version);
    expect(said[0]).toBe('not restored, because no command can set this line: hostname another');
  });

  it('is rehearsed in a shell', async (context) => {
    const { version, model, connect, running } = await sit(context, 'shell');
    const before = await running();

    const good = await model.restore.check?.(connect(), Buffer.from(version));
    const bad = await model.restore.check?.(
      connect(),
      Buffer.from(version.replace('!\nend', 'enable passwort canary-9\n!\nend')),
    );

    expect(good?.accepted).toBe(true);
    expect(good?.said).toMatch(/^\d+ lines? would be entered$/);
    expect(bad?.accepted).toBe(false);
    expect(bad?.said).toContain('% Unknown command');
    expect(await running()).toBe(before);
  });

  it('is not rehearsed where there is no shell', async (context) => {
    const { version, model, connect } = await sit(context);

    const { accepted, said } = (await model.restore.check?.(connect(), Buffer.from(version))) ?? {};

    expect(accepted).toBeUndefined();
    expect(said).toContain('without a shell');
  });

  it('gets back by hand, as is printed', async (context) => {
    const { router, version, model, connect, device, running } = await sit(context, 'shell');
    const about = { device, id: '0123abcd', time: '2026-11-20T03:15:00Z' };

    const steps = model.restore.steps(Buffer.from(version), about);
    const typed = steps.map(({ lines }) => lines.join('\n').replace('systemctl restart frr', ''));
    const [write = '', check = '', place = '', compare = ''] = typed;
    const connection = connect();
    await connection.exec(write);
    const complaints = await connection.exec(check);
    await connection.exec(place);
    await router.restart();
    const difference = await connection.exec(compare, { accept: [1] });

    expect(complaints.toString()).toBe('');
    expect(await running()).toBe(version);
    expect(difference.toString().match(/^[<>] .+/gm)).toEqual([
      '< Building configuration...',
      '< Current configuration:',
      '< end',
    ]);
  });

  // The version of the tests above is one of these.
  it('replaces whatever is there', async (context) => {
    const reference = await start(context, 'shell');
    const router = await start(context);
    const { connect } = await realDevice(router, { model: 'frr' });
    const { restore } = backup();

    await fc.assert(
      fc.asyncProperty(frrConfigurations(router.daemons), async (lines) => {
        const version = await printed(reference, lines);
        const said: string[] = [];
        const before = await router.vtysh('show running-config');
        try {
          await restore.apply?.(connect(), Buffer.from(version), (text) => said.push(text));
        } catch (error) {
          throw new Error(`from\n${before}\nto\n${version}\n${said.join('\n')}`, { cause: error });
        }
        expect(blocks(await router.vtysh('show running-config'))).toEqual(blocks(version));
      }),
      { ...runs(2), endOnFailure: true },
    );
  });
});
