import { SlowExpression } from '@skolo/base/described-expression';
import { fakeClock } from '@skolo/common/testing';
import {
  DeviceBusy,
  DeviceRejected,
  HostKeyChanged,
  SignInRejected,
} from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import { FakeDevices, silent, unreachable } from '../testing/fake-device.ts';
import { startIdleLab, startLab, threeDevices } from '../testing/lab.ts';

const resultsOf = (run: { equipment: { equipment: string; result?: string | undefined }[] }) =>
  Object.fromEntries(run.equipment.map(({ equipment, result }) => [equipment, result]));

const slow = new SlowExpression('(a+)+$');

describe('a run', () => {
  it('reads each device at first, and then finds nothing new', async () => {
    const lab = await startIdleLab();
    const { backups } = await lab.admin.backups({ query: {} });

    const again = await lab.run();

    expect(backups.map(({ origin }) => origin)).toEqual(['overdue']);
    expect(resultsOf(backups[0] ?? { equipment: [] })).toEqual({
      router: 'changed',
      'switch-1': 'changed',
      'switch-2': 'changed',
    });
    expect(resultsOf(again)).toEqual({
      router: 'unchanged',
      'switch-1': 'unchanged',
      'switch-2': 'unchanged',
      'jumphost-rack1': 'not-backed-up',
    });
    expect(await lab.device('router')).toMatchObject({ state: 'ok', versions: 1 });
  });

  it('stores what changed, and not what changes by itself', async () => {
    const lab = await startIdleLab();
    const router = lab.devices.get('router');

    router.text = router.text.replace('end', '! up 3 days\nend');
    const noise = await lab.run('router');
    router.text = router.text.replace('hostname', 'domain lan\nhostname');
    const change = await lab.run('router');

    expect([noise, change].map((run) => run.equipment[0]?.result)).toEqual([
      'unchanged',
      'changed',
    ]);
    expect((await lab.device('router')).versions).toBe(2);
  });

  it('reads again if an expression took too long', async () => {
    const devices = new FakeDevices();
    devices.get('router').failures.push(slow);
    const lab = await startLab({ devices });

    await lab.idle();

    expect(await lab.device('router')).toMatchObject({ state: 'ok', versions: 1 });
  });

  it('names each failure', async () => {
    const lab = await startIdleLab();

    for (const [failure, error] of [
      ['unreachable', unreachable('router')],
      ['timeout', silent('router')],
      ['auth', new SignInRejected('router', 'does not take the password')],
      ['host-key', new HostKeyChanged('router', 'its host key is another one')],
      ['busy', new DeviceBusy('router', 'gives no session')],
      ['rejected', new DeviceRejected('router', 'rejects "show running-config"')],
      ['timeout', slow],
      ['timeout', new DeviceRejected('router', 'no prompt', { cause: slow })],
      ['internal', new TypeError('undefined is not a function')],
    ] as const) {
      lab.devices.get('router').failures.push(error);
      const run = await lab.run('router');

      expect(run.equipment).toMatchObject([{ equipment: 'router', result: 'failed', failure }]);
      expect(await lab.device('router')).toMatchObject({ state: 'failed', failure, versions: 1 });
      expect(await lab.metrics()).toContain(
        `skolo_backup_failures_in_a_row{device="router",class="${failure}"} 1`,
      );
      expect(resultsOf(await lab.run('router'))).toEqual({ router: 'unchanged' });
    }
  });

  it('stores nothing that is incomplete, rejected or suspiciously small', async () => {
    const lab = await startIdleLab();

    for (const [failure, text] of [
      ['incomplete', 'hostname router\n'],
      ['rejected', '% Authorization failed\n'],
      ['suspiciously-small', 'end\n'],
    ] as const) {
      lab.devices.get('router').text = text;
      const run = await lab.run('router');

      expect(run.equipment[0], text).toMatchObject({ result: 'failed', failure });
      expect((await lab.device('router')).versions, text).toBe(1);
    }
  });

  it('stores what it can, and keeps what it did not see', async () => {
    const lab = await startIdleLab();
    const router = lab.devices.get('router');
    router.serial = 'F1';
    router.startup = 'hostname old\nend\n';
    await lab.run('router');
    const before = await lab.device('router');
    delete router.serial;
    delete router.startup;
    router.unseen = 'asks "Password:"';
    router.text = router.text.replace('hostname', 'domain lan\nhostname');

    const same = await lab.run('router');
    const unseen = await lab.device('router');
    router.hostname = 'another';
    const other = await lab.run('router');
    router.hostname = 'router';
    router.serial = 'F2';
    const replaced = await lab.run('router');
    router.serial = 'F1';
    router.startup = router.text;
    delete router.unseen;
    await lab.run('router');

    expect(same.equipment).toMatchObject([{ result: 'changed', unsaved: true }]);
    expect(before).toMatchObject({ unsaved: true, startup: expect.any(String) });
    const { startup } = before;
    expect(unseen).toMatchObject({ unsaved: true, startup, unseen: 'asks "Password:"' });
    for (const run of [other, replaced]) {
      expect(run.equipment).toMatchObject([{ failure: 'wrong-device' }]);
    }
    const after = await lab.device('router');
    expect(after).toMatchObject({ state: 'ok', unsaved: false });
    expect([after.unseen, after.startup]).toEqual([undefined, undefined]);
  });

  it('says that a login may not be shown everything where the equipment did not say it', async () => {
    const lab = await startIdleLab();
    const router = lab.devices.get('router');
    const unseen: (string | undefined)[] = [];

    for (const extent of ['unknown', 'whole', 'unknown', undefined] as const) {
      Object.assign(router, { extent });
      await lab.run('router');
      unseen.push((await lab.device('router')).unseen);
    }
    router.extent = 'unknown';
    router.unseen = 'asks "Password:"';
    await lab.run('router');
    unseen.push((await lab.device('router')).unseen);

    const why = expect.stringMatching(/did not say whether .*; a backup requires that all daemons/);
    const both = expect.stringMatching(/^asks "Password:"; .* did not say whether .*; a backup/);
    expect(unseen).toEqual([why, undefined, why, undefined, both]);
  });

  it('believes what is suspiciously small when a person asks for it again', async () => {
    const lab = await startIdleLab();
    const router = lab.devices.get('router');

    router.text = '! up 1 s\nend\n';
    const first = await lab.run('router');
    router.text = '! up 2 s\nend\n';
    const second = await lab.run('router');

    expect([first, second].map((run) => run.equipment[0]?.result)).toEqual(['failed', 'changed']);
  });

  it('stores no more of a device in a day than it may have', async () => {
    const clock = fakeClock('2026-11-20T10:00:00Z');
    const lab = await startIdleLab({ clock, settings: '    maxBytes: 1048576' });
    const run = async (letter: string) => {
      lab.devices.get('router').text = `hostname router\n${letter.repeat(600_000)}\nend\n`;
      return (await lab.run('router')).equipment[0];
    };

    expect(await run('a')).toMatchObject({ result: 'changed' });
    expect(await run('b')).toMatchObject({
      failure: 'rejected',
      detail: expect.stringMatching(/would have 1\d{6} bytes in total; .* or raise/),
    });
    expect(await lab.device('router')).toMatchObject({ versions: 2 });
    clock.pass(86_400_000);
    // It is also due by schedule.
    await run('b');
    expect(await lab.device('router')).toMatchObject({ versions: 3 });
  });

  it('never writes into the history of another device', async () => {
    const lab = await startIdleLab();
    const before = await lab.admin.versions({ params: { equipment: 'router' }, query: {} });

    Object.assign(lab.devices.get('router'), {
      text: lab.devices.get('switch-1').text,
      hostname: 'switch-1',
    });
    const run = await lab.run('router');
    await lab.admin.forgetHostKey({ params: { equipment: 'router' }, query: {} });
    const known = await lab.run('router');

    expect(run.equipment[0]).toMatchObject({ result: 'failed', failure: 'wrong-device' });
    expect(run.equipment[0]?.detail).toContain('skolo equipment forget router');
    expect(known.equipment[0]?.result).toBe('changed');
    expect(before.versions).toHaveLength(1);
  });

  it('tries again what may work a moment later, unless a person waits for it', async () => {
    const lab = await startLab({ yaml: 'equipment: {}' });
    lab.devices.get('router').failures.push(unreachable('router'), silent('router'));
    lab.devices
      .get('switch-1')
      .failures.push(new SignInRejected('switch-1', 'does not take the password'));

    await lab.edit(threeDevices);
    await expect
      .poll(async () => (await lab.device('switch-2').catch(() => undefined))?.state)
      .toBe('ok');
    await lab.idle();

    expect(lab.devices.get('router').reads).toBe(3);
    expect(await lab.device('router')).toMatchObject({ state: 'ok' });
    expect(lab.devices.get('switch-1').reads).toBe(1);
    expect(await lab.device('switch-1')).toMatchObject({ state: 'never', failure: 'auth' });
  });

  it('stores no message to all users, of which only the end of a configuration is verified', async () => {
    const lab = await startIdleLab();
    const router = lab.devices.get('router');
    router.messages = ['*** SHUTDOWN in 0:05:00 ***\n'];

    const { equipment } = await lab.run('router');

    expect(equipment[0]).toMatchObject({ result: 'unchanged' });
    router.text = `description changed\n${router.text}`;
    router.messages = ['*** SHUTDOWN in 0:04:00 ***\n'];
    const changed = await lab.run('router');
    expect(changed.equipment[0]).toMatchObject({ result: 'changed' });
    const { diff } = await lab.operator.diff({ params: { equipment: 'router' }, query: {} });
    expect(diff).toContain('+description changed');
    expect(diff).not.toContain('SHUTDOWN');
  });

  it('is not held up by a device that hangs', async () => {
    const lab = await startIdleLab();
    let open = () => {};
    lab.devices.get('router').gate = new Promise((resolve) => {
      open = () => resolve();
    });

    const { id } = await lab.admin.requestBackup({ body: {} });
    const states = async () =>
      Object.fromEntries(
        (await lab.admin.backup({ params: { id } })).equipment.map(({ equipment, state }) => [
          equipment,
          state,
        ]),
      );
    await expect.poll(states).toMatchObject({ 'switch-1': 'done', 'switch-2': 'done' });
    expect(await states()).toMatchObject({ router: 'reading' });
    expect((await lab.device('router')).reading).toBe(true);
    open();

    expect(resultsOf(await lab.finished(id))).toMatchObject({ router: 'unchanged' });
  });

  it('has one session with a device at a time, and no more devices than allowed', async () => {
    const yaml = `equipment:
  switch-[01-30]: { model: frr, address: 127.0.2.[1-30] }
`;
    const lab = await startLab({ yaml, settings: '    concurrency: 4' });

    await Promise.all([lab.run(), lab.run(), lab.run('switch-01')]);
    await lab.idle();

    expect(lab.devices.mostAtOnce).toBe(4);
    expect(lab.devices.get('switch-01').mostAtOnce).toBe(1);
  });

  it('gives way to a power cycle, also in the middle', async () => {
    const wanted = new Set<string>();
    const followed = new Map<string, AbortController>();
    const lab = await startIdleLab({
      power: {
        wanted: async () => wanted,
        async unlessWanted(device, signal, work) {
          if (wanted.has(device)) throw new DeviceBusy(device, 'a power cycle needs it');
          const controller = new AbortController();
          followed.set(device, controller);
          return work(AbortSignal.any([signal, controller.signal])).finally(() =>
            followed.delete(device),
          );
        },
      },
    });
    const { reads } = lab.devices.get('router');
    lab.devices.get('router').gate = new Promise(() => undefined);
    const { id } = await lab.admin.requestBackup({ body: { equipment: ['router'] } });
    await expect.poll(() => lab.devices.get('router').reads).toBe(reads + 1);

    followed.get('router')?.abort(new DeviceBusy('router', 'a power cycle needs it'));
    const run = await lab.finished(id);

    expect(run.equipment[0]).toMatchObject({ result: 'failed', failure: 'busy' });
    expect(followed.size).toBe(0);
  });

  it('goes on at the next start with what a stop left', async () => {
    const lab = await startIdleLab();
    lab.devices.get('router').gate = new Promise(() => undefined);
    const { id } = await lab.admin.requestBackup({ body: { reason: 'before the move' } });
    await expect
      .poll(async () => (await lab.admin.backup({ params: { id } })).equipment[1]?.state)
      .toBe('done');
    delete lab.devices.get('router').gate;
    await lab.stop();
    const reads = lab.devices.get('switch-1').reads;

    const next = await startLab({ previous: lab });
    const run = await next.finished(id);

    expect(resultsOf(run)).toMatchObject({ router: 'unchanged', 'switch-1': 'unchanged' });
    expect(run.reason).toBe('before the move');
    expect(next.devices.get('switch-1').reads).toBe(reads);
  });
});
