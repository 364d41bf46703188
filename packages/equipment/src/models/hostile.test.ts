/** Answers designed to keep us busy: processing must take time linear in their length. */

import { isLong } from '@skolo/base/durable/fault-injection';
import { processorTime } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { commonSecrets } from './configuration/common-secrets.ts';
import { createMask } from './configuration/mask.ts';
import type { Device } from './contract/device.ts';
import { models } from './index.ts';
import { loadBackups, loadConnectedHosts } from './load.ts';
import { answering } from './testing/answering.ts';

const device = (model: string): Device => ({
  name: 'device-1',
  model,
  ports: {},
  transport: 'ssh',
  options: {
    files: ['/etc/**'],
    exclude: [],
    sudo: false,
    prompt: '#',
    commands: ['show'],
    complete: 'twice',
    pagingOff: [],
    volatile: [],
    secret: [],
    rejected: [],
    logout: 'exit',
  },
});
/** Models that share one are tested once. */
const backups = new Map(
  [...new Map([...(await loadBackups())].map(([name, create]) => [create, name]))].map(
    ([create, name]) => [name, create],
  ),
);
/** Large enough that quadratic behaviour takes seconds, or minutes in long runs, and exponential behaviour never ends. */
const length = isLong ? 1 << 18 : 1 << 15;
const long = (piece: string) => piece.repeat(Math.ceil(length / piece.length));

const beginnings = [
  '',
  '## Last commit: now\nversion 1;\n',
  'system {\n',
  '!Current Configuration:\nconfigure\n',
  '# 2026-11-20 10:00:00 by RouterOS 7.15.3\n/x\n',
];
const pieces = [
  '\n',
  '\n ',
  '\r',
  '\u2028',
  ' ',
  '\t\n',
  'a {\n',
  '"\\',
  '/* ',
  'a',
  'x "\\" ',
  '<password ',
];

/** Each takes milliseconds of CPU time. */
async function atOnce<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  const { ms, result } = await processorTime(1000, work);
  expect(ms).toBeLessThan(1000);
  return result;
}

it.each([...backups])('%s tells at once that an endless answer is none', async (name, create) => {
  const model = create(device(name));

  for (const beginning of ['', ...beginnings.slice(1)]) {
    for (const piece of pieces) {
      const bytes = Buffer.from(`${beginning}${long(piece)}x`);
      const verdict = await atOnce(() => model.incomplete({ bytes }));
      expect(verdict ?? model.verifiedBy).not.toBe('mark');
    }
  }
});

const tableBeginnings = [
  ...beginnings,
  'Vlan    Mac Address       Type\n 10    b827.eb00.0001    DYNAMIC',
  'VLAN ID  MAC Address         Interface\n10 b8:27:eb:00:00:01 0/1',
  'Port  Name  Status\nGi1/0/1 ',
  '1 U/U ',
  '0 ',
  'hostname x',
  'hostname "',
  ' host-name ',
  'NAME: "Chassis"',
  '[',
];

const readers = await Promise.all(
  [...models.keys()].map(async (name) => {
    const hosts = (await loadConnectedHosts(name))?.(device(name));
    const backup = (await loadBackups()).get(name)?.(device(name));
    return { name, hosts, backup };
  }),
);

it.each(readers.filter(({ hosts, backup }) => hosts ?? backup))(
  '$name reads at once what makes no sense',
  async ({ hosts, backup }) => {
    const given = {
      credentials: async () => ({ legacySsh: false }),
      signal: new AbortController().signal,
    };
    for (const beginning of ['', ...tableBeginnings.slice(1)]) {
      for (const piece of [...pieces, 'a ', '0 ', 'x=', '[\n', 'version 1\n', '1: ']) {
        const answer = Buffer.from(`${beginning}${long(piece)}x`, 'latin1');
        const commands = answering(device('any'), () => answer);
        const connection = { ...commands, download: async () => answer };
        const { ms } = await processorTime(1000, async () => {
          await hosts?.read({ connection, ...given }).catch(() => undefined);
          await backup?.read(connection).catch(() => undefined);
        });
        expect(ms, JSON.stringify({ beginning, piece })).toBeLessThan(1000);
      }
    }
  },
);

it.each([
  ...[...backups].map(([name, create]) => [name, create(device(name)).secrets] as const),
  ['any device', commonSecrets] as const,
])('a long line of %s is masked at once', async (_name, rules) => {
  const { text } = createMask(new Uint8Array(32));

  for (const piece of ['a', 'aa.', 'a1+', '://', 'a://:', '<password ', 'secret ', ' ', '"', '-']) {
    expect(await atOnce(() => text(`${long(piece)}\x00`, rules))).not.toBe('');
  }
});

it('a password in a URL is masked, whatever stands in front of it', () => {
  const { text } = createMask(new Uint8Array(32));

  expect(text('path 1http://user:hidden@host/', commonSecrets)).not.toContain('hidden');
});
