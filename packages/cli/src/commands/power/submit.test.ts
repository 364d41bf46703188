import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine, PowerCycle } from '@skolo/api';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import {
  type Answers,
  type ApiOf,
  at,
  exampleCycle,
  startScripted,
} from '@skolo/scripted-services';
import { expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

const machine = (name: string, condition: Machine['condition'], lastSeen: string): Machine => ({
  name,
  kind: 'rpi',
  pools: [],
  condition,
  sentence: condition,
  lastSeen,
  devices: [],
  repairs: [],
  orders: [],
  wiring: { power: [] },
  alerts: [],
});

/** A power-cycle daemon whose cycles are these. */
async function startDaemon(cycles: PowerCycle[]): Promise<string> {
  const accepted = cycles.map(({ id, target }) => ({ id, target, joined: false }));
  const answers: Answers<ApiOf<'power-cycle-daemon'>> = {
    requestCycles: { cycles: accepted, rejected: [] },
    cycleEvents: {
      status: 200,
      follow(send) {
        for (const each of cycles) send('cycle', each);
        return () => undefined;
      },
    },
  };
  return untilTestEnds(await startScripted('power-cycle-daemon', answers)).url;
}

async function request(url: string, ...args: string[]) {
  return runCommand(['power', 'cycle', ...args, '--reason', 'no ssh', '--url', url]);
}

it('says at once which cycles cannot start, and how many do', async () => {
  const url = await startDaemon([
    exampleCycle('a', { step: 'turn-off', startedAt: at(1) }),
    exampleCycle('b', {
      step: 'check',
      outcome: 'busy',
      finishedAt: at(1),
      detail: 'task 12 is running',
    }),
  ]);

  const { out, exitCode } = await request(url, 'a', 'b');

  expect(out).toMatch(/a +requested\n.* b +busy\n/);
  expect(out).toContain('b: busy after 1 s: task 12 is running');
  expect(exitCode).toBe(3);
});

it('says that it is requested if nothing else is known after 2 s', async () => {
  const url = await startDaemon([exampleCycle('a')]);

  const { out, err, exitCode } = await request(url, 'a');

  expect(out).toMatch(/a +requested\n/);
  expect(err).toContain('to follow: skolo power follow');
  expect(exitCode).toBe(0);
});

it('folds cycles that failed for the same reason at different outlets', async () => {
  const failed = (target: string) =>
    exampleCycle(target, {
      step: 'turn-off',
      outcome: 'failed',
      failedStep: 'turn-off',
      outlets: [`pdu-1/${target}`],
      steps: [],
      detail: `pdu-1/${target} is still on`,
      finishedAt: at(9),
    });
  const url = await startDaemon(['rpi-1', 'rpi-2', 'rpi-3'].map(failed));

  const { out, exitCode } = await request(url, 'rpi-[1-3]', '--wait');

  expect(out).toContain('rpi-[1-3]: failed at turn-off: the outlet is still on\n');
  expect(exitCode).toBe(1);
});

it('reports the machines of a switch as they return, and not those that were silent before', async () => {
  const steps = [{ at: at(10), step: 'turn-on' as const, text: 'turning on' }];
  const switched = exampleCycle('switch-1', {
    step: 'see-back',
    outcome: 'on',
    finishedAt: at(12),
    steps,
  });
  const dead = machine('rpi-3', 'gone', at(-9000));
  const elsewhere = machine('rpi-4', 'ok', at(5));
  const url = await startDaemon([switched]);
  const answers = [
    [machine('rpi-1', 'ok', at(0)), machine('rpi-2', 'quarantined', at(0)), dead, elsewhere],
    [machine('rpi-1', 'ok', at(55)), machine('rpi-2', 'stale', at(0)), dead, elsewhere],
    [machine('rpi-1', 'ok', at(55)), machine('rpi-2', 'quarantined', at(75)), dead, elsewhere],
  ];
  const state = untilTestEnds(
    await startScripted('machine-state', {
      // The last one for ever.
      machines: () => ({ machines: (answers.length > 1 ? answers.shift() : answers[0]) ?? [] }),
    }),
  );
  const file = join(await tempDir(), 'rack.yaml');
  await writeFile(
    file,
    `rack: small
network: { subnet: 192.168.1.0/24 }
jumphost: { name: jumphost, address: 192.168.1.8, uplink: core/8 }
equipment:
  core: { model: edgeswitch, address: 192.168.1.10 }
  pdu-1: { model: apc-rpdu2, address: 192.168.1.30, uplink: core/3 }
  switch-1: { model: edgeswitch, address: 192.168.1.11, uplink: core/1, power: pdu-1/1 }
machines:
  rpi-[1-3]: { kind: rpi, address: 192.168.1.10[1-3], uplink: "switch-1/[1-3]" }
  rpi-4: { kind: rpi, address: 192.168.1.104, uplink: core/4 }
services:
  power-cycle-daemon: { url: "${url}" }
  machine-state: { url: "${state.url}" }
`,
  );

  const line = ['power', 'cycle', 'switch-1', '--reason', 'hangs', '--wait', '--rack', file];
  const { out, exitCode } = await runCommand(line);

  expect(out).toContain('rpi-1  back 45 s after the power\n');
  expect(out).toContain('rpi-2  back 65 s after the power\n');
  expect(out.indexOf('rpi-1  back')).toBeLessThan(out.indexOf('rpi-2  back'));
  expect(out).toContain('2 of 2 dependent machines back\n');
  expect(out).not.toMatch(/rpi-[34] +back/);
  expect(exitCode).toBe(0);
});
