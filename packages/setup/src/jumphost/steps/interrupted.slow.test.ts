/**
 * `prepare` on a bare Debian, interrupted once in every step that changes something, and run again until it is through. What comes
 * out is the same, whatever happened.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onlyLong, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import { prepare } from '@skolo/setup/engine';
import {
  type BareJumphost,
  openTestHost,
  startBareJumphost,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { testSteps } from '../testing/test-steps.ts';

const program = fileURLToPath(new URL('../testing/prepare-process.ts', import.meta.url));
const { signal } = new AbortController();
/** More than there are steps: a run that does not get on is a failure. */
const mostRuns = 40;

const Line = z.object({ name: z.string(), state: z.string(), text: z.string() });

/**
 * What was made, by content: no times, and nothing that another day would change. In a power cut, systemd-sysusers leaves copies of
 * the files of accounts, `/etc/.#…`, which nobody reads.
 */
const made = `find /etc /opt/skolo /usr/local /usr/bin/node /var/lib/skolo /var/lib/rancher/k3s/agent -xdev -not -path '/etc/ssh/ssh_host*' -not -path /etc/machine-id -not -path /etc/rancher/k3s/k3s.yaml -not -name '*-' -not -path '/etc/.#*' -type f | LC_ALL=C sort | xargs -d '\\n' sha256sum
find /etc /opt/skolo /usr/local /var/lib/skolo -xdev -not -path '/etc/.#*' -printf '%p %m %U:%G %l\\n' | LC_ALL=C sort`;

const faults: Record<
  string,
  (jumphost: BareJumphost, workstation: ChildProcess) => Promise<unknown>
> = {
  'kill -9 of the workstation': async (_, workstation) => workstation.kill('SIGKILL'),
  'kill -9 of all sessions there': ({ computer }) =>
    computer.run(
      'sh',
      '-c',
      'for each in /proc/[0-9]*; do if grep -aq "^sshd: root" "$each/cmdline"; then kill -9 "$(basename "$each")"; fi; done',
    ),
  'a power cut': async ({ computer }) => {
    await computer.cutPower();
    await computer.boot();
  },
  'a cable that is pulled out': async ({ computer }, workstation) => {
    await computer.setCable(false);
    await (workstation.exitCode ?? once(workstation, 'exit'));
    await computer.setCable(true);
  },
};

// Interrupted at a random moment of every step, a prepare takes longer than a push may.
describe.skipIf(onlyLong ?? whyNoJumphost())('a prepare that is interrupted', () => {
  let folder: string;
  let expected: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-interrupted-'));
    const jumphost = await startBareJumphost();
    try {
      expect(await run(jumphost)).toBe(true);
      expected = await madeOn(jumphost);
    } finally {
      await jumphost.close();
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(Object.keys(faults))('by %s, comes out the same', async (fault) => {
    const jumphost = await startBareJumphost();
    onTestFinished(jumphost.close);
    const random = seeded(testSeed());
    const hurt = new Set<string>();
    let runs = 0;
    for (let isDone = false; !isDone; runs += 1) {
      expect(runs, `interrupted in ${[...hurt].join(', ')}`).toBeLessThan(mostRuns);
      // One at a time: a computer that boots cannot lose its power.
      let isHurt = false;
      isDone = await run(jumphost, async (step, workstation, isOver) => {
        if (hurt.has(step) || isHurt) return;
        isHurt = true;
        hurt.add(step);
        // Somewhere in the step, or right after it.
        await Promise.race([pause(random() * 1500), isOver]);
        await faults[fault]?.(jumphost, workstation);
      });
    }

    // Short steps after the one that was hurt may end before the fault is there.
    expect(hurt.size).toBeGreaterThan(5);
    expect(await madeOn(jumphost)).toBe(expected);
    const host = await openTestHost(jumphost.workstation, signal);
    const steps = await prepare(host, testSteps(jumphost.workstation, signal), {
      isCheck: true,
      signal,
      report() {},
    });
    await host.close();
    expect(steps.flatMap(({ name, state, text }) => (state === 'ok' ? [] : [name, text]))).toEqual(
      [],
    );
  });

  /** One run as a process. Whether it is through. One that is interrupted does not wait long for a session that confirms a change. */
  async function run(
    { workstation }: BareJumphost,
    atChange?: (
      step: string,
      workstation: ChildProcess,
      isOver: Promise<unknown>,
    ) => Promise<unknown>,
  ): Promise<boolean> {
    const file = join(folder, 'workstation.json');
    const { returnSeconds } = atChange ? { returnSeconds: 15 } : workstation;
    await writeFile(file, JSON.stringify({ ...workstation, returnSeconds }));
    const child = spawn(process.execPath, [program, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    const acted: Promise<unknown>[] = [];
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (text) => {
      const { state, name: step } = Line.parse(JSON.parse(text));
      if (state === 'changing' && atChange) acted.push(atChange(step, child, once(lines, 'line')));
    });
    const [code] = await ended;
    await Promise.all(acted);
    return code === 0;
  }

  async function madeOn({ workstation }: BareJumphost): Promise<string> {
    const host = await openTestHost(workstation, signal);
    try {
      return await host.need(made);
    } finally {
      await host.close();
    }
  }
});
