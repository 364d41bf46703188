import { peer } from '@skolo/simulators';
import { alertmanager, startProgram } from '@skolo/simulators/prometheus';
import { expect, it } from 'vitest';
import { startLab } from '../testing/lab.ts';
import { alertmanagerClient } from './alertmanager.ts';

const program = peer('alertmanager');

it('of a real Alertmanager begin and end with a maintenance, also after a restart', async (context) => {
  if (program === undefined) return context.skip('alertmanager is not installed');
  const config = 'route: { receiver: none }\nreceivers: [{ name: none }]\n';
  const { url } = await startProgram(program, alertmanager(config));
  const settings = `{ alertmanager: "${url}" }`;
  const agents = { 'rpi-1': undefined };
  const deps = { silencesEveryMs: 200 };
  const lab = await startLab({ agents, settings, deps });
  const silences = async () => {
    const found = await alertmanagerClient(url).silences();
    return found.filter(({ status }) => status.state !== 'expired').map(({ comment }) => comment);
  };

  const { orders } = await lab.client.order({
    body: { machines: ['rpi-1'], kind: 'maintenance', reason: 'a new fan' },
  });

  const comment = `order ${orders[0]?.id}: maintenance of rpi-1 by ann: a new fan`;
  await expect.poll(silences).toEqual([comment]);
  const response = await fetch(`${url}/api/v2/silences`);
  expect(await response.json()).toMatchObject([
    { matchers: [{ name: 'machine', value: 'rpi-1', isRegex: false, isEqual: true }] },
  ]);
  await lab.stop();
  const again = await startLab({ agents, settings, deps, previous: lab });
  await again.client.endOrder({ params: { id: orders[0]?.id ?? '' } });
  await expect.poll(silences).toEqual([]);
  expect(await again.metrics()).not.toContain('skolo_degraded{what="alertmanager"}');
});

it('that cannot be made are reported', async () => {
  const lab = await startLab({
    agents: { 'rpi-1': undefined },
    settings: '{ alertmanager: "http://127.0.0.1:2" }',
  });
  expect(await lab.metrics()).not.toContain('what="alertmanager"');

  await lab.client.order({
    body: { machines: ['rpi-1'], kind: 'maintenance', reason: 'a new fan' },
  });

  await expect.poll(() => lab.metrics()).toContain('skolo_degraded{what="alertmanager"} 1');
});
