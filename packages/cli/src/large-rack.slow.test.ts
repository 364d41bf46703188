/** 200 machines as the night engineer sees them, in a terminal of 60 columns and 24 lines. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLargeRack } from '@skolo/scripted-services';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exitCodes } from './errors.ts';
import { runCommand } from './testing/run-command.ts';
import { abridged } from './testing/session.ts';

const size = { columns: 60, rows: 24 };
const started = await startLargeRack();
const dir = await mkdtemp(join(tmpdir(), 'skolo-cli-large-'));
const rack = join(dir, 'rack.yaml');

beforeAll(() => writeFile(rack, started.yaml));
afterAll(async () => {
  await started.close();
  await rm(dir, { recursive: true, force: true });
});

function skolo(line: string, terminal?: { columns: number; rows: number }) {
  // All agents are in this process: on a busy computer they may answer too late.
  return vi.waitFor(async () => {
    const printed = await runCommand([...line.split(' '), '--rack', rack], terminal);
    expect(printed.out).not.toContain('no response within 5 s');
    return { ...printed, lines: printed.out.trimEnd().split('\n') };
  });
}

const tables = [
  'machine list --agents',
  'machine list --verdict ok',
  'power status',
  'power status --state on,unknown',
  'power controllers',
  'power controllers --state up',
  'power log',
  'power holds',
  'backup status',
  'backup status --state ok',
  'metadata clients',
  'metadata clients --state asked',
  'alerts list',
  'inventory list',
  'inventory list --shelf shelf5',
];

describe('of 200 machines', () => {
  it.for(tables)('no line of `skolo %s` is wider than the terminal', async (line) => {
    const { lines, err } = await skolo(line, size);

    expect(err).toBe('');
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.filter((text) => [...text].length > size.columns)).toEqual([]);
  });

  it.for([
    'machine list --agents',
    'power status',
    'power controllers',
    'backup status',
    'metadata clients',
    'alerts list',
  ])('`skolo %s` begins with totals', async (line) => {
    const { lines } = await skolo(line, size);

    expect(lines[0]).toMatch(/^\d+ \w+: \d+ /);
  });

  it('`machine list --agents` shows problems with their reasons, and folds healthy machines', async () => {
    const { out, exitCode } = await skolo('machine list --agents', size);

    expect(out).toMatchInlineSnapshot(`
      "200 machines: 184 ok, 9 quarantined, 4 silent, 3 recovering;
        184 tasks running

      NAME                     HEALTH       BOT      TASK  DEVICE
      skia-rpi2…k4-shelf1-022  quarantined  running  -     missing
      skia-rpi2…k4-shelf2-004  quarantined  running  -     missing
      skia-rpi2…k4-shelf2-026  quarantined  running  -     missing
      skia-rpi2…k4-shelf3-008  quarantined  running  -     missing
      skia-rpi2…k4-shelf3-030  quarantined  running  -     missing
      skia-rpi2…k4-shelf4-012  quarantined  running  -     missing
      skia-rpi2…k4-shelf4-034  quarantined  running  -     missing
      skia-rpi2…k4-shelf5-016  quarantined  running  -     missing
      skia-rpi2…k4-shelf5-038  quarantined  running  -     missing
      skia-rpi2…k4-shelf2-011  silent       -        -     -
      skia-rpi2…k4-shelf2-012  silent       -        -     -
      skia-rpi2…k4-shelf2-013  silent       -        -     -
      skia-rpi2…k4-shelf2-014  silent       -        -     -
      skia-rpi2…k4-shelf1-001  recovering   no bot   -     android
      skia-rpi2…k4-shelf2-031  recovering   no bot   -     android
      skia-rpi2…k4-shelf4-021  recovering   no bot   -     android

      skia-rpi2-rack4-shelf1-022,skia-rpi2-rack4-shelf2-[004,
        026],skia-rpi2-rack4-shelf3-[008,030],
        skia-rpi2-rack4-shelf4-[012,034],
        skia-rpi2-rack4-shelf5-[016,038]: quarantined for 2 h:
        device: needs attention: 2 rounds of repair
        (adb-reconnect, usb-cycle) did not restore it
      skia-rpi2-rack4-shelf1-022,skia-rpi2-rack4-shelf2-[004,
        026],skia-rpi2-rack4-shelf3-[008,030],
        skia-rpi2-rack4-shelf4-[012,034],
        skia-rpi2-rack4-shelf5-[016,038]: quarantined for 3 h:
        device: missing: not attached: adb does not list any
        devices
      skia-rpi2-rack4-shelf1-022,skia-rpi2-rack4-shelf2-[004,
        026],skia-rpi2-rack4-shelf3-[008,030],
        skia-rpi2-rack4-shelf4-[012,034],
        skia-rpi2-rack4-shelf5-[016,038]: last repair of device
        2 h ago: usb-cycle: done: port 1-1.2 was off for 5 s
        according to the hub, and is on again
      skia-rpi2-rack4-shelf2-[011-014] (127.0.0.1:2): no response:
        connection refused; check that the service is running and
        that this is its port (ECONNREFUSED)
      skia-rpi2-rack4-shelf1-001,skia-rpi2-rack4-shelf2-031,
        skia-rpi2-rack4-shelf4-021: recovering for 40 min: device:
        battery low: 12%, recovers at 40%

      ok: skia-rpi2-rack4-shelf1-[002-021,023-040],
        skia-rpi2-rack4-shelf2-[001-003,005-010,015-025,027-030,
        032-040],skia-rpi2-rack4-shelf3-[001-007,009-029,031-040],
        skia-rpi2-rack4-shelf4-[001-011,013-020,022-033,035-040],
        skia-rpi2-rack4-shelf5-[001-015,017-037,039-040]
      "
    `);
    expect(exitCode).toBe(exitCodes.partlyFailed);
    const page = new URL('../../../docs/reference/skolo.md', import.meta.url);
    const text = await readFile(page, 'utf8');
    const [, example = ''] = /^\$ skolo machine list --agents\n(.*?)```$/ms.exec(text) ?? [];
    expect(abridged(out, example)).toBe(example);
  });

  it('`power status` names the controller once, and folds its machines', async () => {
    const { out } = await skolo('power status', size);

    expect(out).toMatchInlineSnapshot(`
      "200 targets: 158 on, 2 off, 40 controller-down

      NAME               OUTLET       POWER  LAST             NOTE
      skia-rp…helf1-007  switch-1/7   off    back 12 min ago  -
      skia-rp…helf5-030  switch-5/30  off    back 12 min ago  -

      switch-3: down: no SNMP response within 5 s

      controller-down: skia-rpi2-rack4-shelf3-[001-040]
      on: skia-rpi2-rack4-shelf1-[001-006,008-040],
        skia-rpi2-rack4-shelf[2,4]-[001-040],
        skia-rpi2-rack4-shelf5-[001-029,031-040]
      "
    `);
  });

  it('lists each machine where names, filters or a pipe ask for them', async () => {
    const inPipe = await skolo('machine list --agents');
    const byFilter = await skolo('machine list --verdict ok --shelf shelf5', size);
    const byName = await skolo('machine list --agents skia-rpi2-rack4-shelf5-[001-040]', size);

    expect(inPipe.out.match(/^skia-\S+ +ok /gm)).toHaveLength(184);
    expect(byFilter.lines[0]).toBe('38 of 200 machines: 38 ok; 38 tasks running');
    expect(byFilter.out.match(/^skia-\S+ +ok /gm)).toHaveLength(38);
    expect(byName.out.match(/^skia-\S+ +(?:ok|quarantined) +(?:running|idle|-) /gm)).toHaveLength(
      40,
    );
  });
});

describe('filters', () => {
  it.for([
    ['machine list --agents --shelf shelf2 --verdict silent', 'machines', 4],
    ['power status --shelf shelf3', 'machines', 40],
    ['power status --state off', 'machines', 2],
    ['power controllers --state down', 'controllers', 1],
    ['backup status --state failed,overdue', 'equipment', 2],
    ['metadata clients --state never-asked', 'clients', 4],
    ['metadata clients --kind unknown', 'clients', 1],
    ['alerts list --severity critical', 'alerts', 22],
    ['alerts list --alert MachineMissingForLong --severity warning', 'alerts', 0],
    ['inventory list --kind host --shelf shelf5,shelf1', 'machines', 40],
  ] as const)('of `skolo %s --json` leave %s: %i', async ([line, key, number]) => {
    const { out } = await skolo(`${line} --json`);

    const found: unknown = JSON.parse(out);
    expect(found).toHaveProperty(key);
    expect(Object.keys(Object(Object(found)[key]))).toHaveLength(number);
  });

  it.for([
    [
      'machine list --verdict quarantned',
      'skolo: --verdict quarantned: unknown verdict; did you mean "quarantined"? valid: ',
    ],
    [
      'machine list --agents --shelf shelf6',
      'skolo: --shelf shelf6: unknown shelf; did you mean "shelf1"? valid: shelf1, shelf2, shelf3, shelf4, shelf5',
    ],
    ['inventory list --kind rpy', 'valid: host, rpi'],
    ['power status --state offf', 'did you mean "off"? valid: needs-attention, '],
    ['backup status --model edgeswich', 'did you mean "edgeswitch"? valid: '],
  ] as const)('of `skolo %s` list the valid values', async ([line, message]) => {
    const { err, out, exitCode } = await skolo(line);

    expect(err).toContain(message);
    expect(out).toBe('');
    expect(exitCode).toBe(exitCodes.wrongCommandLine);
  });

  it('of alerts warn of a severity that no alert has now', async () => {
    const { err, lines, exitCode } = await skolo('alerts list --severity page');

    expect(err).toContain('--severity page: not found; the list contains: critical, warning');
    expect(lines[0]).toBe('0 of 200 alerts');
    expect(exitCode).toBe(exitCodes.done);
  });

  it('of rack.yaml are rejected with --url', async () => {
    const { err, exitCode } = await skolo(
      'machine list --agents --url http://127.0.0.1:2 --shelf shelf1',
    );

    expect(err).toContain("'--shelf' and '--model' require rack.yaml");
    expect(exitCode).toBe(exitCodes.wrongCommandLine);
  });
});
