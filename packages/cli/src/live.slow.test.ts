/** Redrawn output and Ctrl-C: in a real terminal, with the command in its own process. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { untilTestEnds } from '@skolo/base/testing';
import {
  createTokens,
  startMachineState,
  startPowerCycleDaemon,
  startRouterBackup,
} from '@skolo/scripted-services';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { Screen } from './testing/screen.ts';
import { canTty, createPlace, steadied } from './testing/session.ts';

const files = fileURLToPath(new URL('../testdata/files', import.meta.url));
const hasTty = await canTty();
const stepMs = 200;

// The lives of power cycles and machines: they go on when the command has printed something, so that a slow one misses no step.
beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'],
    }),
);
afterEach(() => void vi.useRealTimers());

async function openPlace() {
  const tokens = await createTokens();
  onTestFinished(tokens.remove);
  const power = untilTestEnds(await startPowerCycleDaemon({ tokens, stepMs }));
  const backup = untilTestEnds(await startRouterBackup({ tokens }));
  const state = untilTestEnds(await startMachineState({ tokens }));
  const place = await createPlace(files, { power, backup, state, tokens });
  onTestFinished(place.remove);
  return place;
}

interface Keys {
  /** Output after which the command is interrupted. */
  until?: RegExp;
  /** Keys that interrupt it, instead of a signal. */
  press?: string;
  /** Output without which no time passes for the services. */
  first?: RegExp;
}

/** Runs a command line in a shell. */
async function run(line: string, { until, press, first = /(?:)/ }: Keys = {}) {
  const place = await openPlace();
  const child = spawn('sh', ['-c', `exec ${line}`], { cwd: place.dir, env: place.env });
  let printed = '';
  let isPressed = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (first.test(printed)) vi.advanceTimersByTime(stepMs);
      if (isPressed || until === undefined || !until.test(printed)) return;
      isPressed = true;
      if (press === undefined) child.kill('SIGINT');
      else child.stdin.write(press);
    });
  }
  const [exitCode, signal] = await once(child, 'close');
  return { printed, exitCode, signal, steady: (text: string) => steadied(text, place) };
}

/** In a terminal of that size. */
async function watch(line: string, size: { columns: number; rows: number }, keys: Keys = {}) {
  const terminal = `script -qec "stty cols ${size.columns} rows ${size.rows}; ${line}" /dev/null`;
  const { printed, exitCode, steady } = await run(terminal, keys);
  const screen = new Screen(size);
  screen.write(printed);
  return { exitCode, text: steady(screen.text), pictures: screen.pictures.map(steady), printed };
}

describe('machines that are watched', () => {
  it('are all shown, and then each that changes, until Ctrl-C', async () => {
    const { printed, exitCode } = await run('skolo machine list --url $STATE --watch --json', {
      until: /"waiting for a task".*"waiting for a task"/s,
    });

    const lines = printed.trim().split('\n');
    const names = lines.map((line) => z.object({ name: z.string() }).parse(JSON.parse(line)).name);
    expect(names).toHaveLength(7);
    expect(names.at(-1)).toBe('rpi-003');
    expect(exitCode).toBe(0);
  });

  it('are drawn again in a terminal', async ({ skip }) => {
    if (!hasTty) skip('script of util-linux is not there');
    const line = 'skolo machine list --url $STATE --watch --text rpi-003';

    const { pictures } = await watch(
      line,
      { columns: 80, rows: 24 },
      {
        first: /rpi-003: recovering/,
        until: /1 ok/,
      },
    );

    expect(pictures.some((text) => text.includes('rpi-003: recovering: device'))).toBe(true);
  });
});

const common = 'skolo power cycle --url $POWER --token-file ~/.skolo-token --reason hangs --wait';

/** A picture in which the first machine is in any step of its cycle. */
const firstBegan = /^skia-rp\S*1 {2}(?!queued)[a-z-]+ +\d+ s/m;

describe('waiting in a terminal', () => {
  it('redraws a line for each, and prints the results at the end', async ({ skip }) => {
    if (!hasTty) skip('script of util-linux is not there');

    const { text, pictures, exitCode } = await watch(
      `${common} 'skia-rpi2-rack4-shelf1-[001-004]'`,
      { columns: 130, rows: 24 },
    );

    expect(text.split('\n')).toEqual([
      'cycling skia-rpi2-rack4-shelf1-[001-004]',
      'skia-rpi2-rack4-shelf1-004: failed at turn-off, after 12 s: switch-1/4 is still on after 3 attempts',
      'back: skia-rpi2-rack4-shelf1-[001-003]',
      '4 requested, 41 s: 1 failed, 3 back',
      '',
    ]);
    expect(exitCode).toBe(3);
    const busy = pictures.find((picture) => firstBegan.test(picture))?.split('\n') ?? [];
    expect(busy).toHaveLength(1 + 4 + 1 + 1);
    expect(busy[1]).toMatch(/^skia-rpi2-rack4-shelf1-001 {2}[a-z-]+ +\d+ s {2}\S.*$/);
    expect(busy[5]).toMatch(/^4 requested, \d+ s: /);
  });

  it('fits a small one', async ({ skip }) => {
    if (!hasTty) skip('script of util-linux is not there');

    const { text, pictures } = await watch(`${common} 'skia-rpi2-rack4-shelf1-[001-004]'`, {
      columns: 40,
      rows: 5,
    });

    const busy = pictures.find((picture) => firstBegan.test(picture))?.split('\n') ?? [];
    expect(busy).toHaveLength(1 + 4 + 1);
    expect(busy[0]).toBe('cycling skia-rpi2-rack4-shelf1-[001-004]');
    expect(busy[1]).toMatch(/^skia-rp…helf1-00\d {2}\S+ +\d+ s$/);
    expect(busy[3]).toMatch(/^… and 2 /);
    expect(text).toMatch(/\n4 requested, 41 s: 1 failed, 3 back\n$/);
  });

  it('ends with Ctrl-C, and the cycles go on', async ({ skip }) => {
    if (!hasTty) skip('script of util-linux is not there');

    const { text, exitCode } = await watch(
      `${common} skia-e-linux-01-left skia-rpi2-rack4-shelf1-001`,
      { columns: 300, rows: 24 },
      { until: /a new boot/, press: '\x03' },
    );

    const lines = text.split('\n');
    expect(lines.slice(1, 4)).toEqual([
      expect.stringMatching(
        /^skia-e-linux-01-left {8}see-back +\d+ s {2}pdu-1\/5 is reported as on$/,
      ),
      expect.stringMatching(
        /^skia-rpi2-rack4-shelf1-001 {2}back +41 s {2}a new boot, seen over ssh$/,
      ),
      expect.stringMatching(/^2 requested, \d+ s: 1 back, 1 running$/),
    ]);
    expect(lines.slice(-4)).toEqual([
      'stopped waiting; these continue: 1 running',
      'to follow:              skolo power follow --url $POWER --token-file $HOME/.skolo-token skia-e-linux-01-left',
      'to cancel queued ones:  skolo power cancel --url $POWER --token-file $HOME/.skolo-token skia-e-linux-01-left',
      '',
    ]);
    expect(exitCode).toBe(130);
  });

  it('is plain lines where a terminal cannot draw over', async ({ skip }) => {
    if (!hasTty) skip('script of util-linux is not there');

    const { printed } = await watch(`TERM=dumb ${common} skia-rpi2-rack4-shelf1-001`, {
      columns: 80,
      rows: 24,
    });

    expect(printed).toMatch(
      /Z {2}skia-rpi2-rack4-shelf1-001 {2}turn-on {6}switch-1\/1: turning on\r\n/,
    );
    expect(printed).not.toContain('\x1b');
  });
});

describe('waiting for a run in a terminal', () => {
  const command = 'skolo backup run --url $BACKUP --token-file ~/.operate-token --wait';

  it('redraws a line for each, and prints the results at the end', async ({ skip }) => {
    if (!hasTty) skip('script of util-linux is not there');

    const { text, pictures, exitCode } = await watch(`${command} router switch-1 pdu-1`, {
      columns: 110,
      rows: 24,
    });

    expect(pictures.map((picture) => picture.split('\n').slice(0, 3))).toContainEqual([
      'router    changed          0.3 s  version 40c04d7e5b1d, 252 B',
      'switch-1  unchanged        1.2 s  12.3 kB, unsaved: a reboot would load a different configuration',
      'pdu-1     waiting',
    ]);
    expect(text.split('\n')).toEqual([
      'switch-1: unchanged after 1.2 s: 12.3 kB, unsaved: a reboot would load a different configuration',
      'router: changed after 0.3 s: version 40c04d7e5b1d, 252 B',
      'pdu-1: failed (auth) after 0.8 s: rejects the password in logins.pdus',
      '2 ok (1 changed), 1 failed (auth)',
      '',
    ]);
    expect(exitCode).toBe(3);
  });

  it('ends with Ctrl-C, and the run continues', async ({ skip }) => {
    if (!hasTty) skip('script of util-linux is not there');

    const { text, exitCode } = await watch(
      `${command} router switch-1 pdu-1 pdu-2 switch-2 jumphost-rack4`,
      { columns: 200, rows: 24 },
      { until: /252 B/, press: '\x03' },
    );

    expect(text.split('\n').slice(-4)).toEqual([
      expect.stringMatching(/^6 requested, \d+ s: 2 ok \(1 changed\), 4 waiting$/),
      'stopped waiting; this does not stop the run',
      'to see it: skolo backup runs --url $BACKUP --token-file $HOME/.operate-token r1001',
      '',
    ]);
    expect(exitCode).toBe(130);
  });
});

describe('waiting elsewhere', () => {
  it('ends with SIGINT as shells expect, and prints how to continue', async () => {
    const { printed, exitCode, signal, steady } = await run(`${common} skia-e-linux-01-left`, {
      until: /see-back/,
    });

    expect({ exitCode, signal }).toEqual({ exitCode: null, signal: 'SIGINT' });
    expect(steady(printed)).toContain('to follow:              skolo power follow --url $POWER');
  });

  it('leaves nothing of a clone behind', async () => {
    const place = await openPlace();
    const temp = join(place.dir, 'temp');
    await mkdir(temp);
    // Replaces ssh: accepts the connection, but never responds.
    const ssh = `sh -c 'touch ${place.dir}/called; exec cat > /dev/null'`;
    const child = spawn('skolo', ['backup', 'status', '--from', 'git@nobody.example:rack4.git'], {
      cwd: place.dir,
      env: { ...place.env, TMPDIR: temp, GIT_SSH_COMMAND: ssh },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(child, 'close');
    const stderr = text(child.stderr);
    await expect.poll(() => readdir(place.dir)).toContain('called');
    expect(await readdir(temp)).toHaveLength(1);

    child.kill('SIGINT');

    expect(await ended).toEqual([null, 'SIGINT']);
    expect(await stderr).toBe('skolo: interrupted\n');
    expect(await readdir(temp)).toEqual([]);
  });
});
