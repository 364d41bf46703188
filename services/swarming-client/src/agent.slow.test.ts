import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditEntry } from '@skolo/api/audit-log';
import type { AgentStatus } from '@skolo/api/swarming-client';
import { lacks, screenshot } from '@skolo/simulators';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { argumentsOf, processes } from './host/processes.ts';
import type { AgentProcess } from './testing/agent-process.ts';
import { Lab, machine, newOrder } from './testing/lab.ts';

const phone = { serial: '0A1B2C3D', model: 'pixel-5' as const, rebootMs: 300 };
const missing = lacks('python3', 'adb');

/** A task that ends when `go` is called. */
function waitingTask({ dir, swarming }: Lab) {
  const file = join(dir, `go-${swarming.tasks.length}`);
  const python = `import os, time\nwhile not os.path.exists(${JSON.stringify(file)}): time.sleep(0.05)`;
  return { id: swarming.addTask({ python }), go: () => writeFile(file, '') };
}

describe.skipIf(missing)('a machine with a phone', () => {
  let its: Lab;
  /** All tests ask it. Each leaves it, its bot and its phone well. */
  let agent: AgentProcess;
  beforeAll(async () => {
    its = await Lab.open({ phones: [phone], settings: 'keepEvidence: false' });
    agent = await its.startAgent();
  });
  afterAll(() => its.close());

  /** The bot reports the end to the server first. The id of a run is that of its task, with another end. */
  async function ended(task: string) {
    await its.swarming.until(() => its.swarming.task(task).state === 'completed');
    const run = task.replace(/0$/, '1');
    return await agent.until((status) => status.task.last?.id === run);
  }

  it('runs a task, and the phone reboots before the next', async () => {
    const { swarming, adb } = its;
    await agent.isWell();
    const { boots } = adb.phone();
    const before = tasksIn(await agent.metrics());
    const first = swarming.addTask({ python: 'print("hello from the task")' });
    const second = swarming.addTask({ python: 'print("and again")' });

    await swarming.until(() => swarming.task(second).state === 'completed');

    expect(swarming.task(first)).toMatchObject({ state: 'completed', exitCode: 0, bot: machine });
    expect(swarming.task(first).output).toContain('hello from the task');
    expect(adb.phone().boots).toBe(boots + 1);
    const { dimensions, state } = swarming.bot(machine);
    expect(dimensions).toMatchObject({
      id: [machine],
      os: ['Android'],
      android_devices: ['1'],
      device_type: expect.arrayContaining(['redfin']),
    });
    expect(state).toMatchObject({ sk_rack: 'rack4', devices: { '0A1B2C3D': { name: 'device' } } });
    const { task } = await ended(second);
    expect(task.last).toMatchObject({ outcome: 'succeeded' });
    const after = tasksIn(await agent.metrics());
    expect(after.begun).toBe(before.begun + 2);
    expect(after.succeeded).toBe(before.succeeded + 2);
  });

  it('takes no task while the phone is unhealthy, and one when it is well', async () => {
    const { swarming, adb } = its;
    await agent.isWell();
    adb.phone().battery.level = 5;

    await expect
      .poll(() => swarming.bots.get(machine)?.state.maintenance)
      .toMatch(/battery low: 5%/);
    const task = swarming.addTask({ python: 'pass' });
    const { polls } = swarming.bot(machine);
    await swarming.until(() => swarming.bot(machine).polls > polls + 1);
    expect(swarming.task(task).state).toBe('pending');
    expect((await agent.status()).health).toMatchObject({
      verdict: 'recovering',
      reasons: [{ code: 'battery-low', device: 'device' }],
    });

    adb.phone().battery.level = 90;
    await ended(task);
  });

  it('is quarantined while the phone is gone, with the reason', async () => {
    const { swarming, adb } = its;
    await agent.isWell();
    adb.phone().state = 'unauthorized';

    await expect.poll(() => swarming.bots.get(machine)?.quarantined).toMatch(/unauthorized/);
    expect((await agent.ready()).body).toMatchObject({
      ready: true,
      degraded: [{ what: 'health' }],
    });

    adb.phone().state = 'device';
    await agent.isWell();
  });

  it('shows its log to callers that may see it, and does what is signed', async () => {
    await agent.isWell();
    await agent.until(({ bot }) => bot?.state === 'running');
    const { lines } = await agent.client().log({ query: { lines: 1000 } });
    expect(lines.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^info: bot started pid=/),
    );

    const api = request(`http://127.0.0.1:${agent.port}`);
    await api.get('/v1/log').expect(200);

    const before = await audited(its.stateDir);
    await writeFile(join(its.dir, `${machine}.force_quarantine`), 'smells burnt\n');
    await agent.until(({ health }) => health?.reasons[0]?.text.includes('smells burnt') ?? false);
    expect(await agent.client().clearQuarantine({ body: { why: 'was a sausage' } })).toMatchObject({
      verdict: 'ok',
    });
    const line = { what: 'clearQuarantine', target: machine, why: 'was a sausage' };
    expect((await audited(its.stateDir)).slice(before.length)).toMatchObject([
      { ...line, outcome: 'begun' },
      { ...line, outcome: 'done', answer: { verdict: 'ok' } },
    ]);
    await api.get('/openapi.json').expect(200);
  });

  it('shows the screen of the phone, which is not stored', async () => {
    const { swarming, adb } = its;
    await agent.isWell();
    const screen = (body: { fresh?: boolean; force?: boolean; device?: string }) =>
      agent.client().screen({ body });

    await expect(screen({})).rejects.toThrow('device: no screenshot is stored');
    await expect(screen({ device: '../device' })).rejects.toThrow('the machine has: device');
    const { bytes, headers } = await screen({ fresh: true });
    expect(Buffer.from(bytes)).toEqual(screenshot);
    expect(headers.get('content-type')).toBe('image/png');
    expect(Date.parse(headers.get('last-modified') ?? '')).toBeGreaterThan(Date.now() - 60_000);

    const task = waitingTask(its);
    await agent.until((status) => status.task.running);
    await expect(screen({ fresh: true })).rejects.toMatchObject({ problem: { status: 409 } });
    expect(Buffer.from((await screen({ fresh: true, force: true })).bytes)).toEqual(screenshot);
    expect(swarming.task(task.id).state).toBe('running');

    adb.phone().programs.set('screencap', () => ({ stdout: 'garbage' }));
    await expect(screen({ fresh: true, force: true })).rejects.toThrow('is not a PNG file');
    adb.phone().programs.clear();
    adb.phone().unplug();
    await expect(screen({ fresh: true, force: true })).rejects.toThrow('not attached');
    const left = (await readdir('/dev/shm')).filter((name) => name.startsWith('skolo-screen-'));
    expect(left).toEqual([]);

    adb.phone().plugIn();
    await task.go();
    await ended(task.id);
  });

  it('obeys orders at once, even after kill -9, until their owner ends them', async () => {
    const { swarming } = its;
    await agent.isWell();
    const changed = agent.until(({ orders }) => (orders?.length ?? 0) > 0);
    const orders = [newOrder()];

    const health = await agent.client().setOrders({ body: { orders } });

    const reasons = [{ code: 'forced', text: 'quarantined by ann: smells burnt' }];
    expect(health).toMatchObject({ verdict: 'quarantined', reasons });
    expect(await changed).toMatchObject({ orders, health: { verdict: 'quarantined', reasons } });
    expect(await agent.hook('get_state', {})).toMatchObject({ quarantined: reasons[0]?.text });

    // A poll that is under way may still get a task.
    const isTold = () => swarming.bot(machine).quarantined === reasons[0]?.text;
    await swarming.until(isTold);
    await agent.end('SIGKILL');
    const task = swarming.addTask({ python: 'pass' });
    agent = await its.startAgent();
    expect(await agent.status()).toMatchObject({ orders });
    const { health: after } = await agent.until((status) => status.health?.reasons.length === 1);
    expect(after).toMatchObject({ verdict: 'quarantined', reasons });
    const cleared = await agent.client().clearQuarantine({ body: { why: 'to see' } });
    expect(cleared).toMatchObject({ verdict: 'quarantined', reasons });
    const { polls } = swarming.bot(machine);
    await swarming.until(() => swarming.bot(machine).polls > polls && isTold());
    expect(swarming.task(task).state).toBe('pending');

    await agent.client().setOrders({ body: { orders: [] } });
    await ended(task);
  });
});

describe.skipIf(missing)('an agent, from its first start on', () => {
  const isHere = ({ name, state }: AgentStatus['devices'][number]) =>
    name === 'here' && state === 'present';
  let its: Lab;
  let agent: AgentProcess;
  beforeAll(async () => {
    its = await Lab.open({ phones: [phone] });
  });
  afterAll(() => its.close());

  it('waits for what rack.yaml says, and nothing runs before', async () => {
    const { swarming, metadata } = its;
    metadata.setRack(undefined);
    agent = await its.startAgent();

    const why = expect.stringContaining("does not recognise this machine's address");
    await expect
      .poll(() => agent.ready())
      .toMatchObject({
        status: 503,
        body: { ready: false, degraded: [{ what: 'identity', why }] },
      });
    expect(await agent.hook('get_state', { disks: {} })).toMatchObject({
      disks: {},
      maintenance: expect.stringContaining('not known yet'),
    });
    expect(swarming.downloads).toBe(0);

    its.setRack('device: { kind: android, name: left }');
    await agent.isWell();
    expect((await agent.status()).devices).toMatchObject([{ name: 'left', state: 'present' }]);
    await swarming.until(() => swarming.bots.has(machine));
  });

  it('reports maintenance while the bot is to restart after its task', async () => {
    const { swarming } = its;
    const running = waitingTask(its);
    await swarming.until(() => swarming.task(running.id).state === 'running');

    its.setRack('device: { kind: android, name: here }', 'reboot: reject');

    await agent.until(({ bot }) => bot?.state === 'stopping');
    await agent.until(({ devices }) => devices.some(isHere));
    expect(await agent.hook('get_state', {})).toMatchObject({
      maintenance: 'the bot will stop once it is idle: changed settings: reboot',
    });
    await running.go();
    await agent.until(({ bot }) => bot?.starts === 2);
    expect(swarming.task(running.id).state).toBe('completed');
    await agent.isWell();
  });

  it('lets a task finish on SIGTERM, takes no other, and leaves nothing behind', async () => {
    const { swarming } = its;
    const running = waitingTask(its);
    await swarming.until(() => swarming.task(running.id).state === 'running');
    const { task } = await agent.until((status) => status.task.running);
    expect(task).toMatchObject({ id: expect.any(String) });
    const next = swarming.addTask({ python: 'pass' });

    const ended = agent.end('SIGTERM');
    await expect.poll(() => agent.logged('stopping')).toHaveLength(1);
    expect(await agent.hook('get_state', {})).toMatchObject({
      maintenance: expect.stringContaining('stopping'),
    });
    await running.go();

    expect(await ended).toBe(0);
    expect(swarming.task(running.id).state).toBe('completed');
    expect(swarming.task(next).state).toBe('pending');
    expect(its.ofBot()).toEqual([]);
  });

  it('keeps what rack.yaml said for a start without the jumphost', async () => {
    const { swarming, metadata } = its;
    metadata.setDown(true);
    agent = await its.startAgent();
    await agent.isWell();

    const { identity, devices } = await agent.status();
    expect(identity).toMatchObject({ from: 'kept copy', rack: 'rack4' });
    expect(devices).toMatchObject([{ name: 'here', state: 'present' }]);
    // A sound zip is there, so no server is asked for another.
    await agent.until(({ bot }) => bot?.state === 'running');
    expect(swarming.downloads).toBe(1);
  });
});

describe.skipIf(missing)('a task', () => {
  it('ends what a finished task left, but for the adb server that all share', async () => {
    await using its = await Lab.open({ phones: [phone] });
    const { swarming } = its;
    const agent = await its.startAgent();
    await agent.isWell();
    const mark = `left-${process.pid}`;
    const left = () =>
      [...processes().values()].flatMap(({ pid, isZombie }) => {
        const args = argumentsOf(pid);
        return !isZombie && args.includes(mark) ? [args[0]] : [];
      });
    const task = swarming.addTask({
      python: `import os, sys
def leave(name, env):
    executed, held = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            args = [name, '-c', 'import time; time.sleep(600)', 'server', '${mark}']
            os.execve(sys.executable, args, env)
        os._exit(0)
    os.close(held)
    os.read(executed, 1)
    os.wait()
leave('unmarked', {})
leave('marked', os.environ)
leave('adb', {})`,
    });

    await swarming.until(() => swarming.task(task).state === 'completed');

    await expect
      .poll(() => agent.logged('killed processes that a finished task had left behind'))
      .toMatchObject([{ processes: 2 }]);
    expect(left()).toEqual(['adb']);
    expect((await agent.status()).bot).toMatchObject({ state: 'running', starts: 1 });
  });

  it('reboots the phone also after a task that ended with its bot', async () => {
    await using its = await Lab.open({ phones: [phone] });
    const { swarming, adb } = its;
    const agent = await its.startAgent();
    const task = swarming.addTask({ python: 'import time; time.sleep(600)' });
    await swarming.until(() => swarming.task(task).state === 'running');
    await agent.until((status) => status.task.running);

    process.kill((await agent.status()).bot?.pid ?? Number.NaN, 'SIGKILL');

    await expect
      .poll(() => adb.phone().received.filter(({ text }) => text.startsWith('reboot')).length)
      .toBe(1);
    await agent.isWell();
  });

  it('ends a task that takes too long, in order', async () => {
    await using its = await Lab.open({ phones: [phone] });
    const { swarming } = its;
    const agent = await its.startAgent();
    const task = swarming.addTask({ python: 'import time; time.sleep(600)', graceSeconds: 1 });
    await swarming.until(() => swarming.task(task).state === 'running');

    const ended = agent.end('SIGTERM');
    await expect.poll(() => agent.logged('stopping')).toHaveLength(1);
    // Again: somebody is in a hurry.
    agent.child.kill('SIGTERM');

    expect(await ended).toBe(0);
    expect(['killed', 'failed', 'died']).toContain(swarming.task(task).state);
    expect(its.ofBot()).toEqual([]);
  });
});

/** What was done so far; the folder is made with the first of it. */
async function audited(stateDir: string): Promise<AuditEntry[]> {
  const folder = join(stateDir, 'audit');
  const [segment] = await readdir(folder).catch(() => []);
  if (segment === undefined) return [];
  const lines = (await readFile(join(folder, segment), 'utf8')).trim().split('\n');
  return lines.map((line) => AuditEntry.parse(JSON.parse(line)));
}

/** Counters of tasks, from the text of `/metrics`; one that has not counted yet is not in it. */
function tasksIn(metrics: string): { begun: number; succeeded: number } {
  const counted = (series: string) =>
    Number(new RegExp(`^skolo_swarming_tasks_${series} (.*)$`, 'm').exec(metrics)?.[1] ?? 0);
  return { begun: counted('total'), succeeded: counted('ended_total{outcome="succeeded"}') };
}
