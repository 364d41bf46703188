/** Devices that show the login only a part of their configuration. */
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCiscoIos, startFrr } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startIdleLab, startLab, threeDevices } from './testing/lab.ts';

const part = { part: 'daemons that watchfrr monitors are not running: bgpd' };
const params = { equipment: 'router' };
const allowing = threeDevices.replace('127.0.2.1 }', '127.0.2.1, allowPartial: true }');
const bgp = 'router bgp 65001\n';

/** Whose router shows everything at first. */
async function startWhole(yaml = threeDevices) {
  const lab = await startIdleLab({ yaml });
  const router = lab.devices.get('router');
  const text = router.text.replace('end\n', `${bgp}end\n`);
  Object.assign(router, { text, extent: 'whole' });
  await lab.run('router');
  const versions = async () => (await lab.admin.versions({ params, query: {} })).versions;
  return { lab, router, versions };
}

describe('a configuration of which only a part is shown', () => {
  it('is a failure that says what to change, and the last version stays', async () => {
    const { lab, router, versions } = await startWhole();
    const before = await versions();
    Object.assign(router, { text: router.text.replace(bgp, ''), extent: part });

    const run = await lab.run('router');

    const detail = `only a part of the configuration is shown: ${part.part}; a backup requires that all daemons are up; to store the part, set \`allowPartial: true\` in rack.yaml`;
    expect(run.equipment).toMatchObject([{ result: 'failed', failure: 'partial', detail }]);
    expect(await lab.device('router')).toMatchObject({
      state: 'failed',
      failure: 'partial',
      detail,
    });
    expect(await versions()).toEqual(before);
    const metrics = await lab.metrics();
    expect(metrics).toContain('skolo_backup_failures_in_a_row{device="router",class="partial"} 1');
    expect(metrics).toContain('skolo_backup_partial{device="router"} 0');
  });

  it('is this failure also where the part lacks its end', async () => {
    const { lab, router } = await startWhole();
    Object.assign(router, { text: 'hostname router\n', extent: part });

    const run = await lab.run('router');

    expect(run.equipment).toMatchObject([{ failure: 'partial' }]);
  });

  it('is stored and marked where rack.yaml allows it, until everything is shown again', async () => {
    const { lab, router, versions } = await startWhole(allowing);
    const { text } = router;
    Object.assign(router, { text: text.replace(bgp, ''), extent: part, startup: text });

    const run = await lab.run('router');
    const [marked, whole] = await versions();
    const status = await lab.device('router');
    const metrics = await lab.metrics();
    const { version, canApply } = await lab.admin.restoreSteps({
      params: { ...params, version: 'latest' },
    });
    const checked = await lab.admin.checkRestore({ params: { ...params, version: 'latest' } });
    Object.assign(router, { text, extent: 'whole' });
    await lab.run('router');

    expect(run.equipment).toMatchObject([{ result: 'changed' }]);
    expect([marked?.partial, whole?.partial]).toEqual([part.part, undefined]);
    expect(status).toMatchObject({ state: 'ok', partial: part.part });
    // What it boots with is not compared with a part.
    expect(status.unsaved).toBeUndefined();
    expect(metrics).toContain('skolo_backup_partial{device="router"} 1');
    expect([version.partial, checked.version.partial, canApply]).toEqual([
      part.part,
      part.part,
      true,
    ]);
    expect((await versions()).map(({ partial }) => partial)).toEqual([
      undefined,
      part.part,
      ...(await versions()).slice(2).map(() => undefined),
    ]);
    expect((await lab.device('router')).partial).toBeUndefined();
    expect(await lab.metrics()).toContain('skolo_backup_partial{device="router"} 0');
  });

  it('is never loaded, because that would remove the rest', async () => {
    const { lab, router } = await startWhole(allowing);
    const { text } = router;
    Object.assign(router, { text: text.replace(bgp, ''), extent: part });
    await lab.run('router');
    Object.assign(router, { text, extent: 'whole' });
    await lab.run('router');
    const wanted = { ...params, version: 'latest~1' };
    const { running } = await lab.admin.checkRestore({ params: wanted });

    const restored = lab.admin.restore({ params: wanted, body: { running, reason: 'test' } });

    await expect(restored).rejects.toThrow(
      /this version is only a part of the configuration \(daemons .* bgpd\), and loading it would remove the rest; to print the steps for a manual restore, run: skolo backup restore router --version \w{12}$/,
    );
    expect(router.applied).toEqual([]);
  });

  it('marks a version that was stored as complete, and that has the same content', async () => {
    const { lab, router, versions } = await startWhole(allowing);

    router.extent = part;
    const run = await lab.run('router');
    const marked = await versions();
    router.extent = 'whole';
    await lab.run('router');

    expect(run.equipment).toMatchObject([{ result: 'unchanged' }]);
    expect(marked[0]?.partial).toBe(part.part);
    expect(marked.slice(1).some(({ partial }) => partial !== undefined)).toBe(false);
    expect((await versions())[0]?.partial).toBeUndefined();
  });
});

describe('a device that no longer says whether it shows everything', () => {
  it('must not lose a line, unless a person asks for that twice', async () => {
    const { lab, router, versions } = await startWhole();
    const { length } = await versions();
    Object.assign(router, { text: router.text.replace(bgp, ''), extent: 'unknown' });

    const first = await lab.run('router');
    const kept = (await versions()).length;
    const second = await lab.run('router');

    expect(first.equipment).toMatchObject([{ failure: 'suspiciously-small' }]);
    expect(kept).toBe(length);
    expect(second.equipment).toMatchObject([{ result: 'changed' }]);
    expect((await lab.device('router')).partial).toBeUndefined();
  });

  it('must not lose a line later, either', async () => {
    const { lab, router } = await startWhole();
    router.extent = 'unknown';
    const same = await lab.run('router');
    Object.assign(router, { text: router.text.replace(bgp, `${bgp}${bgp}`) });
    const more = await lab.run('router');
    Object.assign(router, { text: router.text.replace(bgp, '') });

    const less = await lab.run('router');
    const accepted = await lab.run('router');
    Object.assign(router, { text: router.text.replace(bgp, '') });
    const next = await lab.run('router');

    const results = [same, more, less, accepted, next].map(({ equipment }) => equipment[0]?.result);
    expect(results).toEqual(['unchanged', 'changed', 'failed', 'changed', 'changed']);
  });

  it.each([
    ['unknown', 'unknown'],
    [undefined, 'unknown'],
    ['whole', 'whole'],
    ['whole', undefined],
  ] as const)('may otherwise: %s, then %s', async (before, after) => {
    const lab = await startIdleLab();
    const router = lab.devices.get('router');
    const text = router.text.replace('end\n', `${bgp}end\n`);
    Object.assign(router, { text, extent: before });
    await lab.run('router');
    Object.assign(router, { text: router.text.replace(bgp, ''), extent: after });

    const run = await lab.run('router');

    expect(run.equipment).toMatchObject([{ result: 'changed' }]);
  });

  it('may gain lines', async () => {
    const { lab, router } = await startWhole();
    Object.assign(router, { text: router.text.replace(bgp, `${bgp}${bgp}`), extent: 'unknown' });

    const run = await lab.run('router');

    expect(run.equipment).toMatchObject([{ result: 'changed' }]);
  });
});

describe('with equipment itself', () => {
  it.for([
    ['while watchfrr runs', ['bgpd'], 'partial', 'watchfrr monitors are not running: bgpd;'],
    ['with watchfrr', ['watchfrr', 'bgpd'], 'suspiciously-small', 'the configuration has'],
  ] as const)('FRRouting that has lost bgpd %s keeps its version', async (about, context) => {
    const [, killed, failure, why] = about;
    const configuration = `${bgp} neighbor 10.0.0.2 remote-as 65002\nexit\nip route 10.1.0.0/16 Null0\n`;
    const frr = await startFrr({ isWatched: true, configuration });
    if (!frr?.daemons.includes('bgpd')) return context.skip('only root runs bgpd');
    onTestFinished(() => frr.close());
    const lab = await startLab({
      isFake: false,
      yaml: `logins:
  routers: { username: ${frr.username}, privateKey: key }
equipment:
  router: { model: frr, address: ${frr.host}, ports: { ssh: ${frr.port} }, login: routers }
`,
      settings: '    jumphost: { backup: false }',
      prepare: (stateDir) => cp(frr.privateKeyFile, join(stateDir, '../key')),
    });
    const versions = async () => (await lab.admin.versions({ params, query: {} })).versions;
    const first = await lab.run('router');
    const before = await versions();

    for (const daemon of killed) await frr.kill(daemon);
    const second = await lab.run('router');

    expect(first.equipment[0]?.failure).toBeUndefined();
    expect(before).toHaveLength(1);
    expect(second.equipment).toMatchObject([{ failure, detail: expect.stringContaining(why) }]);
    expect(await versions()).toEqual(before);
    expect(await frr.vtysh('show running-config')).not.toContain('router bgp');
  });

  it('a Cisco login of privilege 7 is a failure, or is marked', async () => {
    const login = { username: 'admin', password: 'canary' };
    const device = await startCiscoIos({ ...login, privilege: 7, ports: 4, secondMs: 1 });
    onTestFinished(() => device.close());
    const yaml = (more: string) => `logins:
  switches: { username: admin, password: password, legacySsh: true }
equipment:
  router: { model: cisco-ios, address: 127.0.0.1, ports: { ssh: ${device.port} }, login: switches${more} }
`;
    const lab = await startLab({
      isFake: false,
      yaml: yaml(''),
      settings: '    jumphost: { backup: false }',
      prepare: (stateDir) => writeFile(join(stateDir, '../password'), 'canary\n', { mode: 0o600 }),
    });

    const rejected = await lab.run('router');
    await lab.edit(yaml(', allowPartial: true'), '    jumphost: { backup: false }');
    const allowed = await lab.run('router');

    expect(rejected.equipment).toMatchObject([
      {
        failure: 'partial',
        detail: expect.stringContaining(
          'the login has privilege level 7; a backup requires privilege level 15',
        ),
      },
    ]);
    expect(allowed.equipment).toMatchObject([{ result: 'changed' }]);
    const { versions } = await lab.admin.versions({ params, query: {} });
    expect(versions).toMatchObject([{ partial: 'the login has privilege level 7' }]);
  });
});
