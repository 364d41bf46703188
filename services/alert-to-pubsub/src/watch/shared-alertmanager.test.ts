/** Racks that share an Alertmanager: it lists, and sends to each, the alerts of all. */
import { describe, expect, it } from 'vitest';
import { ago, type FakeAlertmanager, startFakeAlertmanager } from '../testing/fake-alertmanager.ts';
import { type Lab, startLab } from '../testing/lab.ts';
import { movedClock } from '../testing/moved-clock.ts';

type Labels = Record<string, string>;

const hot = { alertname: 'Hot', machine: 'rpi-1' };
const watchdog = { alertname: 'Watchdog' };
const here = { rack: 'rack4' };
const there = { rack: 'rack7' };

async function webhook(lab: Lab, externalURL: string, labels: Labels): Promise<void> {
  const alert = { status: 'firing', labels, annotations: {}, startsAt: ago(60) };
  const body = JSON.stringify({ version: '4', externalURL, alerts: [alert] });
  const response = await fetch(`${lab.url}/webhook`, { method: 'POST', body });
  expect(response.status).toBe(200);
}

async function startShared() {
  const clock = movedClock();
  const fake = await startFakeAlertmanager();
  const lab = await startLab({ clock, alertmanager: fake.url });
  /** Lists these alerts until two looks are complete. */
  const list = async (...alerts: Labels[]) => {
    fake.list = alerts.map((labels) => ({
      ...{ labels, annotations: {}, receivers: [], status: { state: 'active' } },
      ...{ startsAt: ago(60), updatedAt: ago(0) },
    }));
    await looksAt(fake);
  };
  const isFiring = async () => {
    const alerts = await lab.alerts();
    return alerts.find(({ labels }) => labels.alertname === 'Hot')?.status === 'firing';
  };
  return { clock, fake, lab, list, isFiring };
}

/** The first of them may have begun before. */
async function looksAt(fake: FakeAlertmanager): Promise<void> {
  const enough = fake.looks + 3;
  await expect.poll(() => fake.looks).toBeGreaterThanOrEqual(enough);
}

describe('an alert that is no longer listed after a restart of Alertmanager', () => {
  it.each<[string, Labels, Labels[], Labels[], boolean]>([
    [
      'is over if it is of this rack, as is what is listed',
      { ...hot, ...here },
      [{ ...watchdog, ...here }],
      [{ ...watchdog, ...here }],
      false,
    ],
    ['is over if no alert names a rack', hot, [watchdog], [watchdog], false],
    [
      'fires while only the other rack has its Watchdog',
      { ...hot, ...here },
      [
        { ...watchdog, ...here },
        { ...watchdog, ...there },
      ],
      [{ ...watchdog, ...there }],
      true,
    ],
    [
      'fires while Alertmanager has received nothing but alerts of the other rack',
      { ...hot, ...here },
      [{ alertname: 'Dust', ...there }],
      [{ alertname: 'Dust', ...there }],
      true,
    ],
    [
      'fires if it is of the other rack, whose Prometheus may be down',
      { ...hot, ...there },
      [{ ...watchdog, ...here }],
      [{ ...watchdog, ...here }],
      true,
    ],
  ])('%s', async (_, alert, first, then, expected) => {
    const { clock, fake, lab, list, isFiring } = await startShared();
    await webhook(lab, fake.url, alert);
    await list(alert, ...first);
    clock.pass(16 * 60);
    fake.start = ago(0);
    await list(...then);
    clock.pass(16 * 60);
    await list(...then);
    clock.pass(61);
    await list(...then);
    await looksAt(fake);

    expect(await isFiring()).toBe(expected);
  });
});

it.each([
  ['an alert', { text: 'x'.repeat(1_500_000) }],
  ['its group', {}],
])('an alert that ends while it is muted is over if %s was too large', async (what, texts) => {
  const { clock, fake, lab, list, isFiring } = await startShared();
  const others = what === 'its group' ? 400 : 0;
  const alerts = Array.from({ length: others }, (_, i) => ({ labels: { alertname: `A${i}` } }));
  const body = JSON.stringify({
    ...{ version: '4', externalURL: fake.url, groupLabels: { text: 'x'.repeat(50_000) } },
    alerts: [...alerts, { status: 'firing', labels: hot, annotations: texts, startsAt: ago(60) }],
  });
  expect((await fetch(`${lab.url}/webhook`, { method: 'POST', body })).status).toBe(200);
  await list(hot, watchdog);
  clock.pass(16 * 60);
  await list(watchdog);
  clock.pass(61);
  await list(watchdog);

  await expect.poll(isFiring).toBe(false);
});

it.each<[string, Labels, boolean]>([
  ['this rack, but of another one', there, true],
  ['this rack', here, false],
  ['a rack that it does not name', {}, false],
])('reports silence unless a Watchdog of %s arrives', async (_, rack, expected) => {
  const { clock, fake, lab } = await startShared();
  for (const labels of [here, there]) await webhook(lab, fake.url, { ...watchdog, ...labels });

  for (let i = 0; i < 4; i += 1) {
    clock.pass(120);
    await webhook(lab, fake.url, { ...watchdog, ...rack });
  }

  expect((await lab.readyz()).body.includes('alert receiver')).toBe(expected);
});
