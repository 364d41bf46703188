import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError, AuditEntry } from '@skolo/api';
import { Repository } from '@skolo/backup';
import { processorTime } from '@skolo/base/testing';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { unreachable } from './testing/fake-device.ts';
import { type Lab, startIdleLab, threeDevices } from './testing/lab.ts';

const router = { equipment: 'router' };

async function twoVersions(): Promise<Lab> {
  const lab = await startIdleLab();
  const device = lab.devices.get('router');
  device.text = 'hostname router\npassword canary-2\ndomain lan\nend\n';
  await lab.run('router');
  return lab;
}

function content(lab: Lab, query = '', token = lab.adminToken, version = 'latest') {
  const path = `/v1/equipment/router/versions/${version}/content${query}`;
  return request(lab.url).get(path).auth(token, { type: 'bearer' });
}

async function audited({ stateDir }: Lab): Promise<AuditEntry[]> {
  const folder = join(stateDir, 'audit');
  const [segment = ''] = await readdir(folder);
  const lines = (await readFile(join(folder, segment), 'utf8')).trim().split('\n');
  return lines.map((line) => AuditEntry.parse(JSON.parse(line)));
}

const statusOf = async (work: Promise<unknown>) =>
  work.then(
    () => 200,
    (error: unknown) => (error instanceof ApiError ? error.status : error),
  );

describe('the API', () => {
  it('lists versions, gives an admin their bytes and restore steps, masks secrets for others, and names what is missing', async () => {
    const lab = await twoVersions();
    const { versions } = await lab.admin.versions({ params: router, query: {} });

    expect(versions).toMatchObject([
      { equipment: 'router', model: 'frr', by: 'ann', size: (await content(lab)).text.length },
      { equipment: 'router', model: 'frr', by: 'schedule' },
    ]);

    const newest = await content(lab, '?secrets=true');
    const previous = await content(lab, '?secrets=true', lab.adminToken, 'latest~1');
    const operator = await content(lab, '?secrets=true', lab.operatorToken);

    expect(`${newest.body}`).toBe('hostname router\npassword canary-2\ndomain lan\nend\n');
    expect(`${previous.body}`).toBe('hostname router\npassword canary-router\nend\n');
    expect(newest.headers['x-skolo-sha1']).toMatch(/^[0-9a-f]{40}$/);
    expect(operator.status).toBe(403);
    const reads = (await audited(lab)).filter(({ what }) => what === 'read with secrets');
    expect(reads).toHaveLength(2);

    const masked = await content(lab, '', lab.operatorToken);
    const { diff } = await lab.operator.diff({ params: router, query: {} });

    expect(masked.text).toMatch(
      /^hostname router\npassword <secret [0-9a-f]+>\ndomain lan\nend\n$/,
    );
    expect(diff).toMatch(/^-password <secret [0-9a-f]+>$/m);
    expect(diff).toMatch(/^\+password <secret [0-9a-f]+>$/m);
    expect(diff).toMatch(/^\+domain lan$/m);
    expect(diff).not.toContain('canary');
    const query = { secrets: 'true' as const };
    const shown = await lab.admin.diff({ params: router, query });
    expect(shown.diff).toContain('+password canary-2');
    expect(await statusOf(lab.operator.diff({ params: router, query }))).toBe(403);

    const none = { equipment: 'router-9' };

    expect(await statusOf(lab.admin.equipment({ params: none }))).toBe(404);
    expect(await statusOf(lab.admin.versions({ params: none, query: {} }))).toBe(404);
    expect(await statusOf(lab.admin.transcript({ params: router }))).toBe(404);
    expect(await statusOf(lab.admin.backup({ params: { id: 'x' } }))).toBe(404);
    expect(await statusOf(lab.admin.requestBackup({ body: { equipment: ['router-9'] } }))).toBe(
      404,
    );
    // All names of all ranges together would take a gigabyte.
    const ranges = Array.from({ length: 1000 }, (_, n) => `x${n}-[1-9999]`);
    const { ms, result } = await processorTime(1000, () =>
      statusOf(lab.admin.requestBackup({ body: { equipment: ranges } })),
    );
    expect(result).toBe(404);
    expect(ms).toBeLessThan(1000);
    await content(lab, '', lab.adminToken, 'latest~7').expect(404);
    await content(lab, '?secret=1').expect(400);

    const params = { ...router, version: 'latest~1' };
    const restore = await lab.admin.restoreSteps({ params });
    expect(restore).toMatchObject({ comment: '!', canApply: true, canCheck: true });
    expect(restore.steps[0]?.lines).toEqual(['hostname router', 'password canary-router', 'end']);
    expect(await statusOf(lab.operator.restoreSteps({ params }))).toBe(403);
  });

  it('keeps the transcript of a failed attempt until one succeeds', async () => {
    const lab = await twoVersions();

    lab.devices.get('router').failures.push(unreachable('router'));
    await lab.run('router');
    const failed = await lab.device('router');
    const { transcript } = await lab.operator.transcript({ params: router });
    await lab.run('router');

    expect(failed).toMatchObject({ state: 'failed', hasTranscript: true, failures: 1 });
    expect(transcript).toBeTypeOf('string');
    expect(await statusOf(lab.admin.transcript({ params: router }))).toBe(404);
  });

  it('says why it does not know the restore steps', async () => {
    const lab = await startIdleLab({
      prepare: async (stateDir) => {
        const repository = await Repository.open(join(stateDir, 'repository'), { rack: 'rack1' });
        const about = { rack: 'rack1', model: 'acme-1', run: '1', time: '2026-01-01T00:00:00Z' };
        const content = { bytes: Buffer.from('old\n') };
        await repository.commit({ device: 'router', content, about: { ...about, by: 'ann' } });
        await repository.close();
      },
    });
    const steps = () => lab.admin.restoreSteps({ params: { ...router, version: 'latest~1' } });

    await expect(steps()).rejects.toThrow(
      /^router: acme-1 is not a known model, so .*skolo backup show router --version/,
    );
    await lab.edit(threeDevices.replace(/ {2}router.*\n/, ''));
    await expect.poll(() => steps().catch(String)).toMatch('router is not in rack.yaml, so ');
  });

  it('restores a version after a look at what would change, and keeps what was there', async () => {
    const lab = await twoVersions();
    const device = lab.devices.get('router');
    const wanted = { ...router, version: 'latest~1' };
    const { versions } = await lab.admin.versions({ params: router, query: {} });
    const id = versions[1]?.id ?? '';
    device.text = device.text.replace('domain lan', 'domain wan');

    const look = await lab.admin.checkRestore({ params: wanted });
    const body = { running: look.running, reason: 'broken since noon' };
    const done = await lab.admin.restore({ params: { ...router, version: id }, body });

    expect(look).toMatchObject({ rehearsed: true, accepted: true, canApply: true });
    expect(look.diff).toContain('-domain wan');
    expect(look.diff).not.toContain('canary');
    expect(done).toMatchObject({ restored: true, remaining: '', steps: ['typed it'] });
    expect(device.text).toBe('hostname router\npassword canary-router\nend\n');
    const after = await lab.admin.versions({ params: router, query: {} });
    expect(after.versions).toHaveLength(4);
    expect(after.versions[0]).toMatchObject({ by: 'ann', reason: 'broken since noon' });
    expect((await audited(lab)).filter(({ what }) => what.endsWith('estore'))).toMatchObject([
      { what: 'checkRestore', target: 'router latest~1', outcome: 'begun' },
      { what: 'checkRestore', outcome: 'done', answer: { rehearsed: true, accepted: true } },
      {
        who: 'ann',
        what: 'restore',
        target: `router ${id}`,
        input: { running: look.running },
        why: 'broken since noon',
        outcome: 'begun',
      },
      { what: 'restore', target: `router ${id}`, outcome: 'done', answer: { restored: true } },
    ]);
  });

  it('audits what is asked for, of which devices and why', async () => {
    const lab = await startIdleLab();

    const one = await lab.operator.requestBackup({
      body: { equipment: ['router', 'switch-1'], reason: 'before the update' },
    });
    await lab.operator.requestBackup({ body: {} });
    await lab.operator.forgetHostKey({ params: router, query: { why: 'swapped' } });

    expect(await audited(lab)).toMatchObject([
      { what: 'requestBackup', target: 'router switch-1', why: 'before the update' },
      { what: 'requestBackup', outcome: 'accepted', answer: { id: one.id } },
      { what: 'requestBackup', target: 'all', outcome: 'begun' },
      { what: 'requestBackup', target: 'all', outcome: 'accepted' },
      { what: 'forgetHostKey', target: 'router', why: 'swapped', outcome: 'begun' },
      { what: 'forgetHostKey', outcome: 'done', answer: { forgotten: expect.any(Boolean) } },
    ]);
  });

  it('restores nothing into a device that changed since the look', async () => {
    const lab = await twoVersions();
    const device = lab.devices.get('router');
    const params = { ...router, version: 'latest~1' };

    const { running } = await lab.admin.checkRestore({ params });
    device.text = device.text.replace('domain lan', 'domain wan');
    const body = { running, reason: 'broken' };

    expect(await statusOf(lab.admin.restore({ params, body }))).toBe(409);
    expect(device.applied).toEqual([]);
    expect(await statusOf(lab.operator.restore({ params, body }))).toBe(403);
  });

  it('backs up, and restores nothing, where rack.yaml has `acts: false`', async () => {
    const lab = await startIdleLab({ yaml: `acts: false\n${threeDevices}` });
    const params = { ...router, version: 'latest' };
    const body = { running: 'x', reason: 'broken' };

    lab.devices.get('router').text = 'hostname router\ndomain lan\nend\n';
    await lab.run('router');

    const { versions } = await lab.admin.versions({ params: router, query: {} });
    expect(versions).toHaveLength(2);
    await expect(lab.admin.checkRestore({ params })).rejects.toThrow(
      'router: `acts: false` in rack.yaml prohibits this, so nothing was done',
    );
    expect(await statusOf(lab.admin.restore({ params, body }))).toBe(409);
    expect(lab.devices.get('router').applied).toEqual([]);
  });

  it('restores nothing into a switch of a machine that has `acts: false`, or into what powers its phone through a PDU', async () => {
    const pdu = '{ model: synaccess, address: 127.0.2.10, power: switch-2/Gi1/0/2 }';
    const device = '{ kind: android, power: pdu-1/1 }';
    const machines = `machines:
  m-1: { kind: rpi, address: 127.0.2.9, uplink: switch-1/eth1, acts: false }
  m-2: { kind: rpi, address: 127.0.2.11, acts: false, device: ${device} }
`;
    const devices = threeDevices.replace('switch-2: { model: frr', 'switch-2: { model: cisco-ios');
    const lab = await startIdleLab({ yaml: `${devices}  pdu-1: ${pdu}\n${machines}` });

    await expect(
      lab.admin.checkRestore({ params: { equipment: 'switch-1', version: 'latest' } }),
    ).rejects.toThrow(
      'switch-1: m-1 is connected to it, and `acts: false` in rack.yaml prohibits this',
    );
    await expect(
      lab.admin.checkRestore({ params: { equipment: 'switch-2', version: 'latest' } }),
    ).rejects.toThrow('switch-2: it powers m-2-device, and `acts: false` in rack.yaml prohibits');
    await lab.admin.checkRestore({ params: { ...router, version: 'latest' } });
  });

  it('restores nothing into a device that a power cycle needs', async () => {
    const wanted = new Set<string>();
    const lab = await startIdleLab({
      power: {
        wanted: async () => wanted,
        unlessWanted: (_device, signal, work) => work(signal),
      },
    });
    const params = { ...router, version: 'latest' };
    const { running } = await lab.admin.checkRestore({ params });

    wanted.add('router');
    const body = { running, reason: 'broken' };

    expect(await statusOf(lab.admin.restore({ params, body }))).toBe(409);
    expect(lab.devices.get('router').applied).toEqual([]);
  });

  it('shows no secret in log, metrics, readiness or journal', async () => {
    const lab = await twoVersions();
    lab.devices.get('router').text = 'password canary-3\n';
    await lab.run('router');

    const seen = [
      JSON.stringify(lab.logged()),
      await lab.metrics(),
      await lab.degraded(),
      JSON.stringify(await lab.operator.allEquipment({ query: {} })),
      JSON.stringify(await lab.operator.backups({ query: {} })),
    ];
    await lab.stop();
    const journal = join(lab.stateDir, 'journal');
    const files = await readdir(journal, { recursive: true, withFileTypes: true });
    const read = files.filter((entry) => entry.isFile());
    expect(read).not.toEqual([]);
    for (const { parentPath, name } of read) {
      seen.push(await readFile(join(parentPath, name), 'latin1'));
    }

    expect(seen.filter((text) => text.includes('canary'))).toEqual([]);
  });
});
