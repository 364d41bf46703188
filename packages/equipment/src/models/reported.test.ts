/** How each model identifies itself while it is read: its own patterns match, and those of other models do not. */
import {
  type CliDevice,
  type CliOptions,
  startCiscoIos,
  startEdgeos,
  startEdgeSwitch,
  startEos,
  startJunos,
  startNxos,
  startProcurve,
  startRouteros,
  startVyos,
} from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { models } from './index.ts';
import { account, simulated } from './testing/simulated-device.ts';

type Start = (options: CliOptions) => Promise<CliDevice>;

const cases: [string, Start, hardware: string | undefined, firmware: string][] = [
  ['cisco-ios', (o) => startCiscoIos({ ...o, privilege: 15 }), 'WS-C3650-24PS', '16.12.8'],
  ['edgeos', startEdgeos, 'EdgeRouter PoE 5-Port', 'v2.0.9-hotfix.6'],
  ['edgeswitch', startEdgeSwitch, 'EdgeSwitch 24-Port 250W', '1.9.3'],
  ['eos', startEos, 'DCS-7050SX3-48YC8-R', '4.29.2F'],
  ['junos', startJunos, undefined, '21.4R3-S5.4'],
  ['nxos', startNxos, undefined, '9.3(8)'],
  ['procurve', startProcurve, 'J9773A', 'YA.16.11.0005'],
  ['routeros', startRouteros, undefined, '7.15.3'],
  ['vyos', startVyos, undefined, '1.4.2'],
];

/** A device's output while its configuration is read, `as` a model. */
async function saidBy(start: Start, model: string): Promise<string> {
  const sitting = await simulated(() => start({ ...account, secondMs: 1 }), { model });
  const said: string[] = [];
  const connection = sitting.connect({
    onTranscript: (from, text) => void (from === 'device' && said.push(text)),
  });
  const backup = models.get(model)?.backup;
  if (backup === undefined || 'no' in backup) throw new Error(`${model} has no backup`);
  const { backup: create } = await backup.load();
  await create(sitting.inventory).read(connection);
  return said.join('');
}

describe('a device', () => {
  it.each(cases)('of %s names itself', async (model, start, hardware, firmware) => {
    const said = await saidBy(start, model);

    const matching = [...models.values()].filter(({ reported }) => reported?.model.test(said));
    const own = models.get(model)?.reported;
    expect(matching.map(({ name }) => name)).toEqual([model]);
    expect(own?.model.exec(said)?.[1]).toBe(hardware);
    expect(own?.firmware.exec(said)?.[1]).toBe(firmware);
  });

  it.each([
    [
      'apc-rpdu',
      'APC Web/SNMP Management Card (MB:v3.9.2 PF:v3.7.4 PN:apc_hw02_aos_374.bin AF1:v3.7.4 AN1:apc_hw02_rpdu_374.bin MN:AP7920 HR:B2 SN: ZA0000000000 MD:05/08/2006)',
      'AP7920',
      '3.7.4',
    ],
    [
      'apc-rpdu2',
      'APC Web/SNMP Management Card (MB:v4.1.0 PF:v6.8.2 PN:apc_hw05_aos_682.bin AF1:v6.8.0 AN1:apc_hw05_rpdu2g_680.bin MN:AP7900B HR:B2 SN: ZA0000000000 MD:08/07/2017) ',
      'AP7900B',
      '6.8.0',
    ],
    [
      'frr',
      'Building configuration...\n\nCurrent configuration:\n!\nfrr version 8.4.4\n',
      undefined,
      '8.4.4',
    ],
  ])('of %s is recognised by its words', (model, said, hardware, firmware) => {
    const matching = [...models.values()].filter(({ reported }) => reported?.model.test(said));

    const own = models.get(model)?.reported;
    expect(matching.map(({ name }) => name)).toEqual([model]);
    expect(own?.model.exec(said)?.[1]).toBe(hardware);
    expect(own?.firmware.exec(said)?.[1]).toBe(firmware);
  });
});
