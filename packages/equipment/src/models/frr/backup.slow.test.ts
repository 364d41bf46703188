import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceRejected, DeviceUnreachable } from '@skolo/equipment/transports';
import { type Frr, startFrr } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { createMask } from '../configuration/mask.ts';
import { isSame } from '../configuration/text.ts';
import type { BackupModel, Content } from '../contract/backup.ts';
import { type RealDevice, realDevice } from '../testing/real-device.ts';
import { backup } from './backup.ts';
import { type Account, shareFrr } from './testing/shared-frr.ts';

interface Sitting extends RealDevice {
  router: Frr;
  model: BackupModel;
}

const configuration = `ip route 10.1.0.0/16 Null0
ip route 10.2.0.0/16 10.9.9.9
`;
const start = shareFrr({ configuration });

async function sit(context: TestContext, account?: Account): Promise<Sitting> {
  const router = await start(context, account);
  const real = await realDevice(router, { model: 'frr' });
  return { ...real, router, model: backup() };
}

function textIn(content: Content): string {
  return 'bytes' in content ? content.bytes.toString() : '';
}

const more = [
  'configure terminal',
  'password canary-1',
  'enable password canary-2',
  'interface eth7',
  'ip ospf message-digest-key 1 md5 canary-3',
  'exit',
  'router bgp 65001',
  'neighbor 10.0.0.2 remote-as 65002',
  'neighbor 10.0.0.2 password canary-4',
  'neighbor 10.0.0.2 description gets its password by mail',
  'end',
].join('\n');

describe('a configuration of FRRouting', () => {
  it('is what it says itself', async (context) => {
    const { router, model, connect } = await sit(context);

    const { content, identity, startup } = await model.read(connect());

    expect(textIn(content)).toBe(await router.vtysh('show running-config'));
    expect(await model.incomplete(content)).toBeUndefined();
    if (router.daemons.includes('zebra')) expect(identity).toEqual({ hostname: 'frr-1' });
    expect(startup).toBeUndefined();
  });

  it('is read at the command line where nothing else is offered', async (context) => {
    const { router, model, connect } = await sit(context);
    await router.setFault('no-commands');

    const { content } = await model.read(connect());

    expect(textIn(content)).toBe(await router.vtysh('show running-config'));
  });

  it('is read by vtysh where the account has a shell, with what it would boot with', async (context) => {
    const { router, model, connect } = await sit(context, 'shell');

    const fresh = await model.read(connect());
    await router.vtysh('write memory');
    const saved = await model.read(connect());
    await router.vtysh('configure terminal', 'ip route 10.3.0.0/16 Null0');
    const changed = await model.read(connect());

    const same = ({ content, startup }: typeof saved) =>
      isSame(Buffer.from(textIn(content)), startup ?? Buffer.alloc(0), model);
    expect(await Promise.all([fresh, saved, changed].map(same))).toEqual([false, true, false]);
    expect(changed.startup?.toString()).toContain('ip route 10.2.0.0/16 10.9.9.9');
    expect(changed.startup?.toString()).not.toContain('10.3.0.0/16');
    expect(textIn(changed.content)).toContain('10.3.0.0/16');
  });

  it.for(['vtysh', 'shell', 'terminal'] as const)(
    'is a part while a daemon that watchfrr monitors is dead, read by %s',
    async (by, context) => {
      const account = by === 'shell' ? 'shell' : 'vtysh';
      const bgp = 'router bgp 65001\n neighbor 10.0.0.2 remote-as 65002\n';
      const router = await startFrr({ account, isWatched: true, configuration: bgp });
      if (!router?.daemons.includes('bgpd')) return context.skip('only root runs bgpd');
      onTestFinished(() => router.close());
      if (by === 'terminal') await router.setFault('no-commands');
      const { connect } = await realDevice(router, { model: 'frr' });
      const model = backup();

      const healthy = await model.read(connect());
      await router.kill('bgpd');
      const one = await model.read(connect());
      await router.kill('ospfd');
      const two = await model.read(connect());
      await router.kill('watchfrr');
      const unwatched = await model.read(connect());

      const part = (names: string) => ({
        part: `daemons that watchfrr monitors are not running: ${names}`,
      });
      const extents = [healthy, one, two, unwatched].map(({ extent }) => extent);
      expect(extents).toEqual(['whole', part('bgpd'), part('bgpd, ospfd'), 'unknown']);
      expect(textIn(healthy.content)).toContain('router bgp 65001');
      for (const { content } of [one, two, unwatched]) {
        expect(textIn(content)).not.toContain('router bgp');
        expect(await model.incomplete(content)).toBeUndefined();
      }
    },
  );

  it('has its secrets masked', async (context) => {
    const { router, model, connect } = await sit(context);
    if (!router.daemons.includes('bgpd')) context.skip('bgpd may not be run');
    await router.vtysh(more);

    const text = textIn((await model.read(connect())).content);
    const masked = createMask(Buffer.from('key')).text(text, model.secrets);

    expect(text.match(/canary-\d/g)?.sort()).toEqual([1, 2, 3, 4].map((n) => `canary-${n}`));
    expect(masked).not.toContain('canary');
    expect(masked).toContain('gets its password by mail');
    expect(masked.match(/<secret [0-9a-f]{12}>/g)).toHaveLength(4);
  });

  it.for([
    ['cut', DeviceUnreachable],
    ['hangs', 'the output of "show running-config" did not end'],
  ] as const)('is not read when the session is %s', async ([fault, error], context) => {
    const { router, model, connect } = await sit(context);
    await router.setFault(fault);

    const idle = fault === 'hangs' ? { idleMs: 3000 } : {};
    await expect(model.read(connect(idle))).rejects.toThrow(error);
  });

  it.for([
    ['empty', 'the configuration does not contain the line "Current configuration:"'],
    ['rejected', 'the configuration does not contain the line "Current configuration:"'],
  ] as const)('is not whole when the answer is %s', async ([fault, why], context) => {
    const { router, model, connect } = await sit(context);
    await router.setFault(fault);

    const { content } = await model.read(connect());

    expect(await model.incomplete(content)).toBe(why);
    if (fault === 'rejected') expect(textIn(content)).toBe('% Authorization failed\n');
  });

  it('is not whole anywhere but at its end', async (context) => {
    const { router, model } = await sit(context);
    const text = await router.vtysh('show running-config');

    for (let length = 0; length < text.trimEnd().length; length += 1) {
      expect(await model.incomplete({ bytes: Buffer.from(text.slice(0, length)) })).toBeTypeOf(
        'string',
      );
    }
  });

  it('is rejected in the words of the device where vtysh may not be run', async (context) => {
    const { router, model, connect } = await sit(context, 'shell');
    const vtysh = join(router.dir, 'bin', 'vtysh');
    const script = await readFile(vtysh, 'utf8');
    onTestFinished(() => writeFile(vtysh, script));
    await writeFile(vtysh, '#!/bin/sh\necho "not for you" >&2; exit 1\n');

    const reading = model.read(connect());

    await expect(reading).rejects.toThrow(DeviceRejected);
    await expect(reading).rejects.toThrow('failed with exit status 1: not for you');
  });
});
