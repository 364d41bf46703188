/** The disk fails: nothing is begun that could not be remembered, and what was begun comes to its end. */
import { readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError } from '@skolo/api';
import { Journal } from '@skolo/base/durable';
import { run } from '@skolo/base/testing';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { startDaemon, type TestDaemon } from '../testing/daemon.ts';
import { waitUntil } from '../testing/wait-until.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  b: { kind: host, power: pdu-1/1, offSeconds: 0.5 }
  c: { kind: host, power: pdu-1/2, offSeconds: 0.5 }
`;

function ask({ client }: TestDaemon, machine = 'b', offSeconds = 0.5) {
  return client.requestCycles({
    // Long enough that no record fits into what the last page of a full disk has left.
    body: { machines: [machine], reason: '€'.repeat(1000), mode: 'hard', offSeconds },
  });
}

async function ready({ metricsUrl }: TestDaemon) {
  const response = await fetch(`${metricsUrl}/readyz`);
  return { status: response.status, body: JSON.stringify(await response.json()) };
}

/** The whole state directory on a disk that is small enough to be filled. */
async function onSmallDisk({ skip }: Pick<TestContext, 'skip'>): Promise<TestDaemon> {
  return startDaemon({
    yaml,
    async prepare(stateDir) {
      const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
      if (!isRoot) skip('needs root to mount a small tmpfs');
      await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', stateDir]).catch(() =>
        skip('may not mount a small tmpfs here'),
      );
      onTestFinished(async () => void (await run('umount', ['-l', stateDir])));
    },
  });
}

async function fill({ stateDir }: TestDaemon): Promise<string> {
  const file = join(stateDir, 'full');
  await writeFile(file, Buffer.alloc(8 * 1024 * 1024)).catch(() => undefined);
  return file;
}

describe('a disk that is down', () => {
  it('lets the daemon start, rejects what is asked, and touches nothing', async () => {
    const daemon = await startDaemon({
      yaml,
      prepare: (stateDir) => writeFile(join(stateDir, 'journal'), 'in the way'),
    });

    const error = await ask(daemon).catch((thrown: unknown) => thrown);
    const hold = daemon.client.hold({ body: { targets: ['b'], reason: 'fan' } });
    const { machines } = await daemon.client.machines();

    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 503,
      problem: {
        detail: expect.stringMatching(
          /\/journal: not opened: .* \(EEXIST\); to find the cause, run skolo run jumphost-rack1 --on rack1 --timeout 5m -- 'df -h \//,
        ),
      },
    });
    await expect(hold).rejects.toThrow('journal: not opened');
    expect(await ready(daemon)).toMatchObject({
      status: 503,
      body: expect.stringContaining('"what":"journal"'),
    });
    expect(machines.map(({ name }) => name)).toEqual(['b', 'c', 'pdu-1']);
    expect(daemon.boards.get('pdu-1').told).toEqual([]);
  });

  it('and is well again needs no operator', async () => {
    const daemon = await startDaemon({
      yaml,
      prepare: (stateDir) => writeFile(join(stateDir, 'journal'), 'in the way'),
    });
    await rm(join(daemon.stateDir, 'journal'));
    await waitUntil(async () => ((await ready(daemon)).status === 200 ? true : undefined));

    const { cycles } = await ask(daemon);
    const cycle = await daemon.finished(cycles[0]?.id ?? '');

    expect(cycle.outcome).toBe('on');
    expect(await daemon.degraded()).toEqual([]);
  });

  it('first turns on what is pending once it is well', async () => {
    const first = await startDaemon({ yaml });
    const { cycles } = await ask(first, 'b', 60);
    const id = cycles[0]?.id ?? '';
    await first.until(id, ({ step }) => step === 'off');
    await first.stop();
    const folder = join(first.stateDir, 'journal');
    const away = join(first.dir, 'away');
    await run('mv', [folder, away]);
    await writeFile(folder, 'in the way');

    const second = await startDaemon({ yaml, previous: first, awaitsJournal: false });
    const before = second.boards.get('pdu-1').outlets.isOn('1');
    // At once: between two steps, the daemon would begin a journal of its own.
    await symlink(away, join(first.dir, 'link'));
    await rename(join(first.dir, 'link'), folder);
    await waitUntil(() => (second.boards.get('pdu-1').outlets.isOn('1') ? true : undefined));
    const cycle = await waitUntil(async () =>
      (await second.client.cycles()).cycles.find((each) => each.id === id && each.outcome),
    );

    expect(before).toBe(false);
    expect(cycle.outcome).toBe('on');
  });
});

describe('a disk that fills up', () => {
  it('in the middle of a cycle does not keep the power off, nor the outcome from being known', async (context) => {
    const daemon = await onSmallDisk(context);
    const { cycles } = await ask(daemon, 'b', 15);
    const id = cycles[0]?.id ?? '';
    await daemon.until(id, ({ step }) => step === 'off');

    const file = await fill(daemon);
    const cycle = await daemon.finished(id);
    const full = await ready(daemon);
    const rejected = await ask(daemon, 'c').catch((thrown: unknown) => thrown);
    await rm(file);
    await waitUntil(async () =>
      (await ready(daemon)).body.includes('"journal"') ? undefined : true,
    );
    await daemon.stop();
    const next = await startDaemon({ yaml, previous: daemon });
    const { cycles: known } = await next.client.cycles();

    expect(cycle.outcome).toBe('on');
    expect(full.body).toContain('journal');
    expect(rejected).toMatchObject({ status: 503 });
    expect(daemon.boards.get('pdu-1').told).toEqual(['off 1', 'on 1 auto']);
    expect(known).toMatchObject([{ id, outcome: 'on' }]);
    const { outlets } = await next.client.outlets();
    expect(outlets.filter(({ pendingOnSince }) => pendingOnSince)).toEqual([]);
  });

  it('before the outlet is touched leaves it alone, and reports that', async (context) => {
    const daemon = await onSmallDisk(context);
    daemon.boards.get('pdu-1').isWedged = true;
    const { cycles } = await ask(daemon);
    const id = cycles[0]?.id ?? '';
    await daemon.until(id, ({ step }) => step === 'contact');

    await fill(daemon);
    daemon.boards.get('pdu-1').isWedged = false;
    await daemon.edit(yaml.replace('127.0.2.2', '127.0.2.9'));
    const cycle = await daemon.finished(id);

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'queued' });
    expect(cycle.detail).toMatch(
      /^nothing was changed, because the journal cannot be written: .*ENOSPC/,
    );
    expect(daemon.boards.get('pdu-1').told).toEqual([]);
  });
});

describe('a journal', () => {
  it('that was damaged is used as far as it goes, and the daemon is degraded until its next start', async () => {
    const daemon = await startDaemon({
      yaml,
      async prepare(stateDir) {
        const folder = join(stateDir, 'journal');
        const journal = await Journal.open(folder);
        await journal.write({ put: { a: 'b' } });
        await journal.close();
        const [segment = ''] = (await readdir(folder)).filter((name) => name.endsWith('.spool'));
        await writeFile(join(folder, segment), Buffer.alloc(100));
      },
    });

    const { status, body } = await ready(daemon);

    expect(status).toBe(200);
    expect(body).toContain('"what":"journal damaged"');
    expect(body).toContain('skolo power status');
  });
});
