import { DeviceBusy, DeviceRejected } from '@skolo/equipment/transports';
import { startEdgeos, startVyos, typeInto, type VyattaDevice } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isSame } from '../../configuration/text.ts';
import { backup as edgeos } from '../../edgeos/edgeos.ts';
import { stepsOf, typed } from '../../testing/configurations.ts';
import { account, simulated } from '../../testing/simulated-device.ts';
import { backup as vyos } from '../../vyos/vyos.ts';

const kinds = [
  { name: 'edgeos', start: startEdgeos, model: edgeos },
  { name: 'vyos', start: startVyos, model: vyos },
];

describe.each(kinds)('a version of $name', ({ name, start, model: create }) => {
  /** A router that was changed since the version was read. */
  async function sit(options: { secondMs?: number; export?: string; isSaved?: boolean } = {}) {
    const { secondMs = 1000, export: as = 'file', isSaved = true } = options;
    const sitting = await simulated<VyattaDevice>((login) => start({ ...login, secondMs }), {
      model: name,
      options: { export: as },
    });
    const { device, inventory } = sitting;
    const version = {
      file: device.startup(),
      commands: device.commands(),
      running: device.running(),
    };
    await type(device, [
      ...['configure', 'set system host-name changed', 'delete service ssh'],
      ...['set service snmp community canary-community authorization ro'],
      ...["set interfaces ethernet eth0 description 'to somewhere'", 'commit'],
      ...(isSaved ? ['save'] : []),
      'exit',
    ]);
    const previous = { running: device.running(), startup: device.startup() };
    return { ...sitting, version, previous, model: create(inventory) };
  }

  async function type(device: VyattaDevice, lines: readonly string[]): Promise<string> {
    const last = { keys: 'echo it is done\r', until: '\nit is done' };
    return await typeInto(device, account, ':~$ ', [...typed(lines, '\r\n'), last]);
  }

  it('gets back by the steps, exactly', async () => {
    const sitting = await sit();
    const { device, version } = sitting;

    const steps = stepsOf(sitting, version.file);
    const lines = steps.flatMap((step) => step.lines);
    await type(device, lines);

    expect(device.running()).toEqual(version.running);
    expect(device.startup()).toEqual(version.file);
    expect(device.isConfirmPending()).toBe(false);
    expect(steps.map(({ where }) => where)).not.toContain('workstation');
  });

  it('gets back by the steps when it is commands', async () => {
    const sitting = await sit({ export: 'commands' });
    const { device, version, model } = sitting;

    const lines = stepsOf(sitting, version.commands).flatMap((step) => step.lines);
    await type(device, lines);

    expect(device.commands()).toEqual(version.commands);
    expect(model.restore.apply).toBeUndefined();
  });

  it('is rehearsed, and changes nothing', async () => {
    const { device, version, previous, model, connect } = await sit();
    const broken = Buffer.from(version.file.toString().replace('system {', 'system { {'));

    const good = await model.restore.check?.(connect(), version.file);
    const bad = await model.restore.check?.(connect(), broken);
    const cut = model.restore.check?.(connect(), version.file.subarray(0, 200));
    await expect(cut).rejects.toThrow(DeviceRejected);

    expect(bad?.accepted).toBe(false);
    expect(bad?.said).toMatch(/syntax error|Failed to parse/);
    expect(good?.accepted).toBe(true);
    expect(good?.said).toContain('- host-name changed');
    expect(good?.said).toContain('- description "to somewhere"');
    expect(good?.said).toMatch(/^ *- *community <secret \w+> \{$/m);
    expect(good?.said).not.toContain('canary');
    expect(device.running()).toEqual(previous.running);
    expect(device.startup()).toEqual(previous.startup);
  });

  it.each([true, false])(
    'is loaded, confirmed from a new session, saved (was saved: %s)',
    async (isSaved) => {
      const { device, version, model, connect } = await sit({ isSaved });
      const told: string[] = [];
      const opened = device.sessions.opened;

      await model.restore.apply?.(connect(), version.file, (text) => told.push(text));

      expect(device.running()).toEqual(version.running);
      expect(await isSame(device.startup(), version.file, model)).toBe(true);
      expect(device.isConfirmPending()).toBe(false);
      expect(told).toEqual([
        ...(isSaved ? [] : ['saved the active configuration for a rollback']),
        expect.stringMatching(/^loaded: \d+ lines? more, \d+ lines? less$/),
        'committed; unless the version is confirmed within 5 minutes, the router restarts with its previous configuration',
        'reachable in a new session; the version is active',
        'confirmed',
        'saved, and read back',
      ]);
      expect(device.sessions.opened).toBeGreaterThan(opened + 2);
      expect(device.received.at(-1)?.text).toMatch(/^rm -f \/tmp\/skolo-[0-9a-f]{16}\.boot$/);
    },
  );

  it('is only saved where it is already active', async () => {
    const { device, version, model, connect } = await sit();
    await model.restore.apply?.(connect(), version.file, () => {});
    const told: string[] = [];

    await model.restore.apply?.(connect(), version.file, (text) => told.push(text));

    expect(told).toEqual(['the version is already active', 'saved, and read back']);
    expect(device.startup()).toEqual(version.file);
  });

  // Both have the same phases, whose code they share.
  const phases =
    name === 'edgeos'
      ? ['scp -t', '^configure$', '^load ', '^compare$', '^commit-confirm', '^confirm$']
      : ['^commit-confirm'];
  const moments = phases.flatMap((phase) =>
    (['before', 'after'] as const).map((when) => ({ phase, when })),
  );
  it.each(moments)(
    'leaves the router as it was, or has loaded it: line lost $when $phase',
    async (lost) => {
      const { phase, when } = lost;
      // Detects that the command was carried out although the session was lost. Then the router
      // does not wait for a confirmation, which otherwise lasts 6 s.
      const isDone = phase === '^confirm$' || (phase === '^commit-confirm' && when === 'after');
      const { device, version, previous, model, connect } = await sit({
        secondMs: isDone ? 1000 : 20,
      });
      device.faults.dropAt = { command: new RegExp(phase), when };

      const [result] = await Promise.allSettled([
        model.restore.apply?.(connect(), version.file, () => {}),
      ]);

      await expect.poll(() => device.isConfirmPending()).toBe(false);
      if (result.status === 'fulfilled') {
        expect(device.running()).toEqual(version.running);
        expect(device.startup()).toEqual(version.file);
      } else {
        expect(result.reason).toBeInstanceOf(Error);
        expect(device.running()).toEqual(previous.running);
        expect(device.startup()).toEqual(previous.startup);
      }
      if (isDone) expect(result.status).toBe('fulfilled');
    },
  );

  it('goes back by itself when the router is out of reach', async () => {
    // Fake, so that the five minutes are not over before, and continuing, because sign-ins wait.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    const { device, version, previous, model, connect } = await sit({ secondMs: 1000 });

    const lost = model.restore.apply?.(connect(), version.file, (text) => {
      if (text.startsWith('committed')) device.faults.set('down');
    });
    await expect(lost).rejects.toThrow(
      /was not confirmed: .*; the router will restart with its previous configuration within 5 minutes/,
    );
    const between = device.running();
    device.faults.clear();
    vi.advanceTimersByTime(300_000);

    expect(between).toEqual(version.running);
    expect(device.running()).toEqual(previous.running);
    expect(device.startup()).toEqual(previous.startup);
  });

  it('says so when it is in effect, and may not be saved', async () => {
    const { device, version, model, connect } = await sit();

    const lost = model.restore.apply?.(connect(), version.file, (text) => {
      if (text === 'confirmed') device.faults.set('down');
    });
    await expect(lost).rejects.toThrow('may not have been saved as the startup configuration');

    expect(device.running()).toEqual(version.running);
    expect(device.isConfirmPending()).toBe(false);
  });

  it('is not committed over what somebody else may still take back', async () => {
    const { device, version, model, connect } = await sit();
    const lines = ['configure', 'set system host-name other', 'commit-confirm 10', 'y', 'exit'];
    await type(device, lines);
    const between = device.running();

    const rejected = model.restore.apply?.(connect(), version.file, () => {});
    await expect(rejected).rejects.toThrow(DeviceBusy);

    expect(device.running()).toEqual(between);
    expect(device.isConfirmPending()).toBe(true);
  });

  it('is not loaded where there is no way back', async () => {
    const { device, version, model, connect } = await sit();
    await type(device, ['configure', 'delete system config-management', 'commit', 'save', 'exit']);
    const between = device.running();

    const rejected = model.restore.apply?.(connect(), version.file, () => {});
    await expect(rejected).rejects.toThrow(/did not commit the version: .*commit-revisions/s);

    expect(device.running()).toEqual(between);
    expect(device.isConfirmPending()).toBe(false);
  });

  it('is not loaded by a router that rejects it', async () => {
    const { device, version, previous, model, connect } = await sit();
    device.faults.set('busy');

    const rejected = model.restore.apply?.(connect(), version.file, () => {});
    await expect(rejected).rejects.toThrow(/did not commit the version: .*locked/s);

    expect(device.running()).toEqual(previous.running);
    expect(device.startup()).toEqual(previous.startup);
    expect(device.isConfirmPending()).toBe(false);
  });
});
