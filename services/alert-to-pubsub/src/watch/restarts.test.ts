/** Later starts of an alert that fires: Prometheus was restarted, or an end was missed. */
import { describe, expect, it } from 'vitest';
import {
  ago,
  type FakeAlertmanager,
  startFakeAlertmanager as startFake,
} from '../testing/fake-alertmanager.ts';
import { type Lab, startLab } from '../testing/lab.ts';
import { movedClock } from '../testing/moved-clock.ts';

const labels = (alertname: string) => ({ alertname, machine: 'rpi-1' });
const name = 'http://am-7f9:9093';

/** So many seconds ago, or now, but later than everything so far. */
async function later(seconds = 0): Promise<string> {
  const before = Date.now();
  await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(before);
  return ago(seconds);
}

/** As Alertmanager does. */
async function webhook(
  lab: Lab,
  { alertname = 'Hot', externalURL = name, seconds = 0, status = 'firing' } = {},
): Promise<string> {
  const startsAt = await later(seconds);
  const alert = { status, labels: labels(alertname), annotations: {}, startsAt };
  const ended = status === 'resolved' && { endsAt: ago(0) };
  const body = JSON.stringify({ version: '4', externalURL, alerts: [{ ...alert, ...ended }] });
  const response = await fetch(`${lab.url}/webhook`, { method: 'POST', body });
  expect(response.status).toBe(200);
  return startsAt;
}

async function statesOf(lab: Lab, count: number): Promise<string[]> {
  const states = () =>
    lab
      .arrived()
      .filter(({ kind }) => kind === 'transition')
      .map(({ attributes: { status, expired } }) => `${status}${expired ? ' expired' : ''}`);
  await expect.poll(() => states().length).toBeGreaterThanOrEqual(count);
  return states();
}

const once = ['firing', 'resolved'];
const twice = ['firing', 'resolved expired', 'firing', 'resolved'];

describe('a webhook with a later start', () => {
  it.each<[string, (fake: FakeAlertmanager) => void, string[]]>([
    ['continues the firing if Alertmanager was started since', () => undefined, once],
    [
      'is another firing if Alertmanager was running all the time',
      (fake) => {
        fake.start = ago(3600);
      },
      twice,
    ],
    [
      'is another firing if Alertmanager does not say when it was started',
      (fake) => {
        fake.start = undefined;
      },
      twice,
    ],
    [
      'is another firing if the start is not a time',
      (fake) => {
        fake.start = 'yesterday';
      },
      twice,
    ],
  ])('%s', async (_, change, expected) => {
    const fake = await startFake();
    const lab = await startLab({ alertmanager: fake.url });
    const startsAt = await webhook(lab, { seconds: 600 });
    fake.start = await later();
    change(fake);

    await webhook(lab);
    const [alert] = await lab.alerts();
    await webhook(lab, { status: 'resolved' });

    expect(alert?.startsAt === startsAt).toBe(expected === once);
    expect(await statesOf(lab, expected.length)).toEqual(expected);
  });

  it('is another firing if no Alertmanager is configured', async () => {
    const lab = await startLab();
    await webhook(lab, { seconds: 600 });

    await webhook(lab);

    expect(await statesOf(lab, 3)).toEqual(twice.slice(0, 3));
  });

  it('is another firing if it is later than the webhook after the restart, too', async () => {
    const fake = await startFake();
    const lab = await startLab({ alertmanager: fake.url });
    await webhook(lab, { seconds: 600 });
    fake.start = await later();
    await webhook(lab);

    await webhook(lab);

    expect(await statesOf(lab, 3)).toEqual(twice.slice(0, 3));
  });

  it('continues the firing of each alert, also if this service was restarted, and changes no other', async () => {
    const fake = await startFake();
    const before = await startLab({ alertmanager: fake.url });
    await webhook(before, { seconds: 600 });
    await webhook(before, { alertname: 'Slow', seconds: 500 });
    await webhook(before, { alertname: 'Slow', status: 'resolved' });
    await before.stop();
    fake.start = await later();
    const lab = await startLab({ alertmanager: fake.url, previous: before });

    await webhook(lab);
    await webhook(lab, { alertname: 'Slow' });

    expect(await statesOf(lab, 4)).toEqual(['firing', 'firing', 'resolved', 'firing']);
    const alerts = (await lab.alerts()).map(({ labels, status }) => [labels.alertname, status]);
    expect(alerts.toSorted()).toEqual([
      ['Hot', 'firing'],
      ['Slow', 'firing'],
    ]);
  });

  it('is another firing if it is from another Alertmanager than the one that was restarted', async () => {
    const fake = await startFake();
    const lab = await startLab({ alertmanager: fake.url });
    const alert = { labels: labels('Dust'), annotations: {}, startsAt: ago(9), updatedAt: ago(0) };
    fake.list = [{ ...alert, receivers: [], status: { state: 'active' } }];
    await webhook(lab, { alertname: 'Dust', externalURL: fake.url });
    const enough = fake.looks + 2;
    await expect.poll(() => fake.looks).toBeGreaterThanOrEqual(enough);
    await webhook(lab, { seconds: 600 });
    fake.start = await later();

    await webhook(lab);

    expect(await statesOf(lab, 4)).toEqual(['firing', ...twice.slice(0, 3)]);
  });
});

describe('a webhook with a later start, if the clock of Alertmanager is wrong,', () => {
  it.each([-3600, -40, -20, 40, 3600])(
    'continues the firing if Alertmanager was started since, and is %i s ahead',
    async (ahead) => {
      const clock = movedClock();
      const fake = await startFake();
      const lab = await startLab({ clock, alertmanager: fake.url });
      await webhook(lab, { seconds: 600 });
      clock.pass(32);
      fake.ahead = 32 + ahead;
      fake.start = ago(-fake.ahead);

      await webhook(lab, { seconds: -32 });
      await webhook(lab, { status: 'resolved' });

      expect(await statesOf(lab, 2)).toEqual(once);
    },
  );

  it.each([-3600, -40, 40, 3600])(
    'is another firing if Alertmanager was running all the time, and is %i s ahead',
    async (ahead) => {
      const fake = await startFake();
      fake.ahead = ahead;
      fake.start = ago(60 - ahead);
      const lab = await startLab({ alertmanager: fake.url });
      await webhook(lab, { seconds: 600 });

      await webhook(lab);

      expect(await statesOf(lab, 3)).toEqual(twice.slice(0, 3));
    },
  );

  it('compares the clocks as they are if Alertmanager sends no time', async () => {
    const fake = await startFake();
    fake.ahead = undefined;
    const lab = await startLab({ alertmanager: fake.url });
    await webhook(lab, { seconds: 600 });
    fake.start = await later();

    await webhook(lab);
    await webhook(lab, { status: 'resolved' });

    expect(await statesOf(lab, 2)).toEqual(once);
  });
});

describe('after a reboot in which an alert', () => {
  /**
   * The alert fires, then everything restarts. Alertmanager has saved what it sent, so it repeats no alert that fires.
   *
   * @param after seconds until it sends something
   */
  async function reboot(after: number): Promise<{ lab: Lab; startsAt: string }> {
    const clock = movedClock();
    const fake = await startFake();
    const before = await startLab({ clock, alertmanager: fake.url });
    const startsAt = await webhook(before, { seconds: 600 });
    await before.stop();
    clock.pass(32);
    fake.start = new Date(clock.now()).toISOString();
    const lab = await startLab({ clock, alertmanager: fake.url, previous: before });
    clock.pass(after);
    fake.ahead = 32 + after;
    return { lab, startsAt };
  }

  it('went on, its end is the end of the same firing', async () => {
    const { lab, startsAt } = await reboot(60);

    await webhook(lab, { seconds: -92, status: 'resolved' });

    expect(await statesOf(lab, 2)).toEqual(once);
    const [, over] = lab.arrived();
    expect(over?.attributes.startsAt).toBe(startsAt);
  });

  it('ended, it fires again two hours later', async () => {
    const { lab } = await reboot(7200);

    await webhook(lab, { seconds: -7232 });

    expect(await statesOf(lab, 3)).toEqual(twice.slice(0, 3));
  });
});

it('a later start that Prometheus posts itself continues the firing if this service was restarted since', async () => {
  const clock = movedClock();
  const before = await startLab({ clock });
  const post = (lab: Lab, from: number, to: number) => {
    const [startsAt, endsAt] = [from, to].map((each) => new Date(clock.now() + each * 1000));
    return lab.post({ labels: labels('Hot'), startsAt, endsAt });
  };
  await post(before, -600, 240);
  await before.stop();
  clock.pass(300);
  const lab = await startLab({ clock, previous: before });

  await post(lab, -20, 240);
  await post(lab, -20, 0);

  expect(await statesOf(lab, 2)).toEqual(once);
});
