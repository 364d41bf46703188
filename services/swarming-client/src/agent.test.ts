import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditEntry } from '@skolo/api/audit';
import { isLong } from '@skolo/durable/campaign';
import { peer } from '@skolo/simulators';
import { afterEach, describe, expect, it, type TestContext, vi } from 'vitest';
import { argumentsOf, processes } from './bot/processes.ts';
import type { AgentProcess } from './testing/agent-process.ts';
import { Lab, type LabOptions, machine } from './testing/lab.ts';

let lab: Lab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

async function open({ skip }: Pick<TestContext, 'skip'>, options?: LabOptions): Promise<Lab> {
  if (!peer('python3')) skip('python3 is not installed');
  if (!peer('adb')) skip('adb is not installed');
  lab = await Lab.open(options);
  return lab;
}

const phone = { serial: '0A1B2C3D', model: 'pixel-5' as const, rebootMs: 300 };

async function isWell(agent: AgentProcess): Promise<void> {
  await expect.poll(async () => (await agent.status()).health).toMatchObject({ verdict: 'ok' });
}

async function botRuns({ swarming }: Lab): Promise<void> {
  await expect.poll(() => swarming.bots.get(machine)?.polls ?? 0).toBeGreaterThan(0);
}

describe('a machine with a phone', () => {
  it('runs a task, and the phone reboots before the next', async (context) => {
    const { swarming, adb, startAgent } = bound(await open(context, { phones: [phone] }));
    const agent = await startAgent();
    const first = swarming.addTask({ python: 'print("hello from the task")' });
    const second = swarming.addTask({ python: 'print("and again")' });

    await swarming.until(() => swarming.task(second).state === 'completed');

    expect(swarming.task(first)).toMatchObject({ state: 'completed', exitCode: 0, bot: machine });
    expect(swarming.task(first).output).toContain('hello from the task');
    expect(adb.phone().received.filter(({ text }) => text.startsWith('reboot'))).toHaveLength(1);
    const { dimensions, state } = swarming.bot(machine);
    expect(dimensions).toMatchObject({
      id: [machine],
      os: ['Android'],
      android_devices: ['1'],
      device_type: expect.arrayContaining(['redfin']),
    });
    expect(state).toMatchObject({ sk_rack: 'rack4', devices: { '0A1B2C3D': { name: 'device' } } });
    // The bot reports the end to the server first.
    await vi.waitFor(
      async () => {
        const metrics = await agent.metrics();
        expect(metrics).toContain('skolo_swarming_tasks_total 2');
        expect(metrics).toContain('skolo_swarming_tasks_ended_total{outcome="succeeded"} 2');
        const { last } = (await agent.status()).task;
        // The id of a run is that of its task, with another end.
        expect(last).toMatchObject({ id: second.replace(/0$/, '1'), outcome: 'succeeded' });
      },
      { timeout: 20_000 },
    );
  });

  // The sample has bots that leave nothing of a task (bot/bot.kill.test.ts).
  it.runIf(isLong)(
    'ends what a finished task left, but for the adb server that all share',
    async (context) => {
      const its = await open(context, { phones: [phone] });
      const { swarming } = its;
      const agent = await its.startAgent();
      await isWell(agent);
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
        .poll(() => agent.logged('ended what a finished task left behind'))
        .toMatchObject([{ processes: 2 }]);
      expect(left()).toEqual(['adb']);
      expect((await agent.status()).bot).toMatchObject({ state: 'running', starts: 1 });
    },
  );

  it.runIf(isLong)(
    'reboots the phone also after a task that ended with its bot',
    async (context) => {
      const { swarming, adb, startAgent } = bound(await open(context, { phones: [phone] }));
      const agent = await startAgent();
      const task = swarming.addTask({ python: 'import time; time.sleep(600)' });
      await swarming.until(() => swarming.task(task).state === 'running');
      await expect.poll(async () => (await agent.status()).task.running).toBe(true);

      process.kill((await agent.status()).bot?.pid ?? Number.NaN, 'SIGKILL');

      await expect
        .poll(() => adb.phone().received.filter(({ text }) => text.startsWith('reboot')).length, {
          timeout: 30_000,
        })
        .toBe(1);
      await isWell(agent);
    },
  );

  it('takes no task while the phone is sick, and one when it is well', async (context) => {
    const { swarming, adb, startAgent } = bound(await open(context, { phones: [phone] }));
    adb.phone().battery.level = 5;
    const agent = await startAgent();
    const task = swarming.addTask({ python: 'pass' });

    await expect
      .poll(() => swarming.bots.get(machine)?.state.maintenance)
      .toMatch(/battery low: 5 %/);
    expect(swarming.task(task).state).toBe('pending');
    expect((await agent.status()).health).toMatchObject({
      verdict: 'recovering',
      reasons: [{ code: 'battery-low', device: 'device' }],
    });

    adb.phone().battery.level = 90;
    await swarming.until(() => swarming.task(task).state === 'completed');
  });

  it('is quarantined when the phone is gone, with the reason', async (context) => {
    const { swarming, adb, startAgent } = bound(await open(context, { phones: [phone] }));
    const agent = await startAgent();
    await isWell(agent);
    adb.phone().state = 'unauthorized';

    await expect.poll(() => swarming.bots.get(machine)?.quarantined).toMatch(/unauthorized/);
    expect((await agent.ready()).body).toMatchObject({
      ready: true,
      degraded: [{ what: 'health' }],
    });
  });
});

describe('what rack.yaml says', () => {
  it('is waited for, and nothing runs before', async (context) => {
    const { swarming, metadata, setRack, startAgent } = bound(
      await open(context, { phones: [phone] }),
    );
    metadata.setRack(undefined);
    const agent = await startAgent();

    await expect
      .poll(() => agent.ready())
      .toMatchObject({
        status: 503,
        body: {
          ready: false,
          degraded: [
            { what: 'identity', why: expect.stringContaining('does not know this machine') },
          ],
        },
      });
    expect(await agent.hook('get_state', { disks: {} })).toMatchObject({
      disks: {},
      maintenance: expect.stringContaining('not known yet'),
    });
    expect(swarming.downloads).toBe(0);

    setRack();
    await isWell(agent);
    await expect.poll(() => swarming.bots.has(machine)).toBe(true);
  });

  it('is in force at once, and kept for a start without the jumphost', async (context) => {
    const { swarming, metadata, setRack, startAgent } = bound(
      await open(context, { phones: [phone] }),
    );
    const first = await startAgent();
    await isWell(first);
    setRack('device: { kind: android, name: left }');
    await expect
      .poll(async () => (await first.status()).devices)
      .toMatchObject([{ name: 'left', state: 'present' }]);
    await swarming.until(() => swarming.bots.has(machine));
    expect(await first.end('SIGTERM')).toBe(0);

    metadata.setDown(true);
    const second = await startAgent();
    await isWell(second);

    const { identity, devices } = await second.status();
    expect(identity).toMatchObject({ from: 'kept copy', rack: 'rack4' });
    expect(devices).toMatchObject([{ name: 'left', state: 'present' }]);
    // A sound zip is there, so nobody is asked for another.
    await expect.poll(async () => (await second.status()).bot).toMatchObject({ state: 'running' });
    expect(swarming.downloads).toBe(1);
  });
});

describe('SIGTERM', () => {
  it('lets a task finish, takes no other, and leaves nothing behind', async (context) => {
    const its = await open(context, { phones: [phone] });
    const { swarming } = its;
    const agent = await its.startAgent();
    const running = swarming.addTask({
      python: `import os, time
while not os.path.exists(${JSON.stringify(join(its.dir, 'go'))}): time.sleep(0.05)`,
    });
    await swarming.until(() => swarming.task(running).state === 'running');
    await expect
      .poll(async () => (await agent.status()).task)
      .toMatchObject({ running: true, id: expect.any(String) });
    const next = swarming.addTask({ python: 'pass' });

    const ended = agent.end('SIGTERM');
    await expect.poll(() => agent.logged('stopping')).toHaveLength(1);
    expect(await agent.hook('get_state', {})).toMatchObject({
      maintenance: expect.stringContaining('stopping'),
    });
    await writeFile(join(its.dir, 'go'), '');

    expect(await ended).toBe(0);
    expect(swarming.task(running).state).toBe('completed');
    expect(swarming.task(next).state).toBe('pending');
    expect(its.ofBot()).toEqual([]);
  });

  it('reports maintenance while the bot is to restart after its task', async (context) => {
    const its = await open(context, { phones: [phone] });
    const { swarming, setRack, startAgent } = bound(its);
    const agent = await startAgent();
    await isWell(agent);
    const go = JSON.stringify(join(its.dir, 'go'));
    const running = swarming.addTask({
      python: `import os, time\nwhile not os.path.exists(${go}): time.sleep(0.05)`,
    });
    await swarming.until(() => swarming.task(running).state === 'running');

    setRack(undefined, 'reboot: refuse');

    await expect
      .poll(() => agent.hook('get_state', {}))
      .toMatchObject({
        maintenance: 'the bot restarts once its task has ended: other settings: reboot',
      });
    await writeFile(join(its.dir, 'go'), '');
    await expect.poll(async () => (await agent.status()).bot?.starts).toBe(2);
    expect(swarming.task(running).state).toBe('completed');
    await isWell(agent);
  });

  // The sample ends one in bot/bot.swarming.test.ts.
  it.runIf(isLong)('ends a task that takes too long, in order', async (context) => {
    const its = await open(context, { phones: [phone] });
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

describe('the status port', () => {
  it('shows its log to callers that may see it, and does what is asked with its token', async (context) => {
    const its = await open(context, { phones: [phone] });
    const agent = await its.startAgent();
    await isWell(agent);
    await botRuns(its);
    const { lines } = await agent.client().log({ query: { lines: 1000 } });
    expect(lines.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^info: bot started pid=/),
    );

    const url = `http://127.0.0.1:${agent.port}`;
    const why = JSON.stringify({ why: 'to see' });
    const headers = { 'content-type': 'application/json' };
    const post = (path: string, more = {}) =>
      fetch(url + path, { method: 'POST', body: why, headers: { ...headers, ...more } });
    expect((await fetch(`${url}/v1/log`)).status).toBe(200);
    // Whoever comes through the jumphost has its address.
    const forwarded = { 'x-forwarded-for': 'unknown' };
    expect((await fetch(`${url}/v1/log`, { headers: forwarded })).status).toBe(401);
    expect((await post('/v1/quarantine/clear')).status).toBe(401);
    expect((await post('/v1/reboot', { authorization: 'Bearer wrong' })).status).toBe(401);

    await writeFile(join(its.dir, `${machine}.force_quarantine`), 'smells burnt\n');
    await expect
      .poll(async () => (await agent.status()).health)
      .toMatchObject({
        verdict: 'quarantined',
        reasons: [{ text: expect.stringContaining('smells burnt') }],
      });
    expect(await agent.client().clearQuarantine({ body: { why: 'was a sausage' } })).toMatchObject({
      verdict: 'ok',
    });
    const line = { what: 'clearQuarantine', target: machine, why: 'was a sausage' };
    expect(await audited(its.stateDir)).toMatchObject([
      { ...line, outcome: 'begun' },
      { ...line, outcome: 'done', answer: { verdict: 'ok' } },
    ]);
    expect((await fetch(`${url}/openapi.json`)).status).toBe(200);
    expect((await fetch(`${url}/v1/nothing`)).status).toBe(404);
    expect((await fetch(`${url}/v1/status`, { method: 'DELETE' })).status).toBe(405);
  });
});

async function audited(stateDir: string): Promise<AuditEntry[]> {
  const folder = join(stateDir, 'audit');
  const [segment = ''] = await readdir(folder);
  const lines = (await readFile(join(folder, segment), 'utf8')).trim().split('\n');
  return lines.map((line) => AuditEntry.parse(JSON.parse(line)));
}

/** Its methods, to be taken apart. */
function bound(its: Lab) {
  const { swarming, metadata, adb } = its;
  return {
    swarming,
    metadata,
    adb,
    setRack: (entry?: string, settings?: string) => its.setRack(entry, settings),
    startAgent: () => its.startAgent(),
  };
}
