/** Configurations of 50,000 lines: with the lines of each table that change by themselves, and with those that show what they are. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isSame } from '../configuration/text.ts';
import { loadBackups } from '../load.ts';
import { rackDevice } from '../testing/outlets.ts';
import { tables } from './tables.ts';

const Described = z.object({
  base: z.literal('generic'),
  values: z.object({ volatile: z.array(z.unknown()) }),
});

/** At reading `n`: lines of the table's equipment that differ from reading to reading. */
const changing: Record<string, (n: number) => string[]> = {
  asa: (n) => [
    ': Saved',
    `: Written by enable_15 at 10:2${n}:31.403 UTC Mon Nov 30 2026`,
    `Cryptochecksum:6f2a${n}`,
  ],
  efos: (n) => [
    `!System Up Time          "${n} days 3 hrs 2 mins 1 secs"`,
    `!Current System Time: Nov 30 10:2${n}:31 2026`,
  ],
  fortigate: (n) => [
    `        set password ENC MTAwNDK${n}`,
    '        set private-key "-----BEGIN ENCRYPTED PRIVATE KEY-----',
    ...Array.from({ length: 30 + n }, () => `${n}`.repeat(64)),
    '-----END ENCRYPTED PRIVATE KEY-----"',
    'config firewall internet-service-name',
    ...Array.from({ length: 300 + n }, (_, at) => `    edit "Service-${n}-${at}"`),
    'end',
  ],
  fortimanager: (n) => [
    `        set password ENC MTAwNDK${n}`,
    '        set private-key "-----BEGIN ENCRYPTED PRIVATE KEY-----',
    ...Array.from({ length: 30 + n }, () => `${n}`.repeat(64)),
    '-----END ENCRYPTED PRIVATE KEY-----"',
  ],
  netgear: (n) => [`!System Up Time "${n} days"`, `!Current Time: 10:2${n}`, `!Uptime ${n}`],
  onyx: (n) => [`## Running database "initial", generated at 2026/11/30 10:2${n}:31 +0000`],
  sonicwall: (n) => [
    `system-time "11/30/2026 10:2${n}:31.000"`,
    `system-uptime "${n} Days"`,
    `checksum ${n}`,
  ],
};

/** Three of such groups, one of them behind all other lines. */
function configuration(changes: readonly string[], last = 'set comment "the last"'): Buffer {
  const lines = Array.from(
    { length: 25_000 },
    (_, at) =>
      ` set rule ${at} source 10.0.0.${at % 250} destination any service tcp-443 action permit`,
  );
  return Buffer.from([...changes, ...lines, ...changes, ...lines, last, ...changes, ''].join('\n'));
}

describe.each(tables.filter((table) => Described.safeParse(table).success))(
  'a configuration of 50,000 lines of model $name',
  ({ name }) => {
    const changesAt = changing[name] ?? (() => [`no lines of ${name} in this test`]);

    it('is the same where only such lines have changed, and another with another line', async () => {
      const model = (await loadBackups()).get(name)?.(rackDevice(name, {}));
      if (model === undefined) throw new Error(`${name} has no backup`);
      const one = configuration(changesAt(1));

      expect(await isSame(one, configuration(changesAt(2)), model)).toBe(true);
      expect(await isSame(one, configuration(changesAt(1), 'set comment "x"'), model)).toBe(false);
    });
  },
);

/** For each table, a line of every configuration; or else its last line. */
const signs: Record<string, string> = {
  aoscx: '!Version ArubaOS-CX LL.10.13.1050',
  arubaos: 'version 8.6',
  asa: ': end',
  comware: 'return',
  'cumulus-nvue': '- set:',
  efos: '!Current Configuration:',
  fortigate: '#config-version=FGT91G-7.4.7-FW-build2731-250120:opmode=1:vdom=0:user=ann',
  fortimanager: 'config system global',
  'fs-switch': 'Current configuration:',
  icx: 'end',
  netgear: '!Current Configuration:',
  onyx: '## Running database "initial"',
  opnsense: '</opnsense>',
  pfsense: '</pfsense>',
  sonicwall: 'firmware-version "SonicOS 7.1.1"',
  tnsr: 'nacm disable',
  'tplink-olt': 'end',
};

it.each(tables.flatMap(({ base, name }) => (base === 'generic' ? [name] : [])))(
  'only a line behind 50,000 others shows that a text is a configuration of %s',
  async (name) => {
    const model = (await loadBackups()).get(name)?.(rackDevice(name, {}));
    if (model === undefined) throw new Error(`${name} has no backup`);
    const judge = async (last: string) => {
      const content = { bytes: configuration([], `${last}\r`) };
      return (await model.incomplete(content)) ?? (await model.doubt?.(content));
    };

    expect(await judge(signs[name] ?? '')).toBeUndefined();
    expect(await judge('set comment "the last"')).toEqual(expect.any(String));
  },
);
