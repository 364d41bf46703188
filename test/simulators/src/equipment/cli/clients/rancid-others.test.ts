import { describe, expect, it } from 'vitest';
import { lacks } from '../../../peer.ts';
import type { DeviceFault } from '../../device.ts';
import type { ConfiguredDevice } from '../core.ts';
import type { CliOptions } from '../model.ts';
import { startEos } from '../models/eos.ts';
import { startJunos } from '../models/junos.ts';
import { startNxos } from '../models/nxos.ts';
import { startProcurve } from '../models/procurve.ts';
import { startRouteros } from '../models/routeros/routeros.ts';
import { rancid } from './rancid.ts';

interface Kind {
  type: string;
  start(options: CliOptions): Promise<ConfiguredDevice>;
  enablePassword?: string;
  /** Lines that it keeps, and its own of what it takes for a secret. */
  kept: string[];
}

const kinds: Kind[] = [
  {
    type: 'cisco-nx',
    start: startNxos,
    kept: [
      'feature nxapi',
      '  description to skia-rpi2-rack4-shelf1-002',
      '!    password <removed>',
    ],
  },
  {
    type: 'arista',
    start: (options) => startEos({ ...options, enablePassword: 's3cond' }),
    enablePassword: 's3cond',
    kept: ['hostname arista-1', '   description uplink', 'end'],
  },
  {
    type: 'juniper',
    start: startJunos,
    kept: [
      '    host-name ex-1;',
      '# Chassis                                JW3619430123      EX2300-24P',
    ],
  },
  {
    type: 'mikrotik',
    start: (options) => startRouteros({ ...options, version: '6.49.17' }),
    kept: ['add name=bridge1', 'set telnet disabled=yes', '# serial-number: HF9087654321'],
  },
  {
    type: 'hp',
    start: startProcurve,
    kept: ['hostname "procurve-1"', '   name "DEFAULT_VLAN"', ';Serial Number: CN69FP30AB'],
  },
];

const account = { username: 'skolo', password: 'f1rst' };

describe.skipIf(lacks('rancid'))('RANCID', { concurrent: true }, () => {
  async function collect(
    context: Parameters<typeof rancid>[0],
    { type, start, enablePassword }: Kind,
    fault?: DeviceFault,
  ) {
    const device = await start(account);
    context.onTestFinished(() => device.close());
    if (fault !== undefined) device.faults.set(fault);
    const login = { ...account, ...(enablePassword !== undefined && { enablePassword }) };
    return await rancid(context, device, type, login);
  }

  it.for(kinds)('reads all of a $type', async (kind, context) => {
    const { text, log } = await collect(context, kind);

    expect(log).not.toMatch(/End of run not found|missed cmd|Error/);
    expect(text.split('\n')).toEqual(expect.arrayContaining(kind.kept));
  });
});
