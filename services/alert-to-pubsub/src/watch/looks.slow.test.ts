/** Ends that a real Alertmanager does not report: the service queries it through a proxy, which counts the looks and may fail. */

import { writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { lacks, peer } from '@skolo/simulators';
import { alertmanager, type Program, startProgram } from '@skolo/simulators/prometheus';
import { describe, expect, it } from 'vitest';
import { type AlertmanagerProxy, startAlertmanagerProxy } from '../testing/alertmanager-proxy.ts';
import { type Lab, startLab } from '../testing/lab.ts';
import { movedClock } from '../testing/moved-clock.ts';

const program = peer('alertmanager') ?? '';

interface Routes {
  receiver?: string;
  /** Lines below the route. */
  route?: string;
  /** Further sections. */
  more?: string;
  isSilent?: boolean;
}

function config(webhook: string, routes: Routes = {}) {
  const { receiver = 'skolo', route = '', more = '', isSilent = false } = routes;
  return `
route:
  receiver: nobody
  routes:
    - { receiver: ${receiver}, matchers: ['team=~".+"'], group_by: [team], group_wait: 100ms, group_interval: 200ms, repeat_interval: 12h${route} }
receivers:
  - { name: nobody }
  - { name: skolo, webhook_configs: [{ url: '${webhook}/webhook', send_resolved: ${!isSilent} }] }
${more}
`;
}

interface Rig {
  lab: Lab;
  proxy: AlertmanagerProxy;
  sender: Program;
  clock: ReturnType<typeof movedClock>;
  /** At an Alertmanager; `ended`: now. */
  post: (
    labels: Record<string, string>,
    ended?: 'ended',
    url?: string,
    startsAt?: string,
  ) => Promise<void>;
  /** Some looks later. */
  later: () => Promise<void>;
  /** Whether each alert fires, by name. */
  firing: () => Promise<Record<string, boolean>>;
  /** What has reached Pub/Sub. */
  transitions: () => string[];
}

/** `isNamed`: its webhooks have the URL of rack.yaml. */
async function startRig({ isNamed = false } = {}): Promise<Rig> {
  const proxy = await startAlertmanagerProxy();
  const clock = movedClock();
  const lab = await startLab({ clock, alertmanager: proxy.url });
  const sender = await startSender(lab, isNamed ? { 'web.external-url': proxy.url } : {});
  proxy.target = sender.url;
  return rigOf(lab, proxy, sender, clock);
}

function startSender(lab: Lab, flags: Record<string, string> = {}): Promise<Program> {
  const files = alertmanager(config(lab.url));
  return startProgram(program, { ...files, flags: (dir) => ({ ...files.flags(dir), ...flags }) });
}

function rigOf(lab: Lab, proxy: AlertmanagerProxy, sender: Program, clock: Rig['clock']): Rig {
  return {
    lab,
    proxy,
    sender,
    clock,
    async post(labels, ended, url = sender.url, startsAt = undefined) {
      const alert = { labels, startsAt, ...(ended && { endsAt: new Date().toISOString() }) };
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify([alert]);
      expect((await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body })).ok).toBe(
        true,
      );
    },
    async later() {
      const enough = proxy.looks + 3;
      await expect.poll(() => proxy.looks).toBeGreaterThanOrEqual(enough);
    },
    async firing() {
      const alerts = await lab.alerts();
      return Object.fromEntries(
        alerts.map(({ labels, status }) => [labels.alertname ?? '', status === 'firing']),
      );
    },
    transitions: () =>
      lab
        .arrived()
        .filter(({ kind }) => kind === 'transition')
        .map(({ attributes: { status, expired } }) => `${status}${expired ? ' expired' : ''}`),
  };
}

/** Fires an alert, and waits until a look has listed it. */
async function page(rig: Rig, alertname = 'Disk'): Promise<void> {
  await rig.post({ alertname, team: 'a' });
  await expect.poll(async () => (await rig.firing())[alertname]).toBe(true);
  await rig.later();
}

async function reload({ sender, lab }: Rig, routes: Routes): Promise<void> {
  await writeFile(join(sender.dir, 'config.yml'), config(lab.url, routes));
  expect((await fetch(`${sender.url}/-/reload`, { method: 'POST' })).ok).toBe(true);
}

async function silence({ sender }: Rig, url = sender.url): Promise<string> {
  const body = JSON.stringify({
    matchers: [{ name: 'alertname', value: 'Disk', isRegex: false, isEqual: true }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    createdBy: 'ann',
    comment: 'a new disk',
  });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/v2/silences`, { method: 'POST', headers, body });
  return JSON.parse(await answer.text()).silenceID;
}

/** Mutes the alert `Disk`, whose labels are those of {@link page}. */
const mutes: Record<string, (rig: Rig) => Promise<unknown>> = {
  'a silence': (rig) => silence(rig),
  async 'an inhibition'(rig) {
    const rule = `{ source_matchers: [alertname=Down], target_matchers: [alertname=Disk] }`;
    await reload(rig, { more: `inhibit_rules: [${rule}]` });
    await rig.post({ alertname: 'Down' });
  },
  'a time interval': (rig) =>
    reload(rig, {
      route: ', mute_time_intervals: [always]',
      more: 'time_intervals: [{ name: always, time_intervals: [{ months: ["1:12"] }] }]',
    }),
  'a changed route': (rig) => reload(rig, { receiver: 'nobody' }),
  'send_resolved: false': (rig) => reload(rig, { isSilent: true }),
};

const nothing = (response: ServerResponse) => response.end('[]');
const unavailable = (response: ServerResponse) => response.writeHead(503).end();
const disk = { alertname: 'Disk', team: 'a' };

describe.skipIf(lacks('alertmanager'))(`an alert that ends while it is muted`, () => {
  it.each(Object.entries(mutes))('by %s is resolved', async (_, mute) => {
    const rig = await startRig();
    const { firing, later, clock, post, transitions } = rig;
    await page(rig);
    clock.pass(901);
    await mute(rig);

    clock.pass(61);
    await later();
    expect(await firing()).toEqual({ Disk: true });
    await post(disk, 'ended');
    await later();
    expect(await firing()).toEqual({ Disk: true });
    clock.pass(61);

    await expect.poll(firing).toEqual({ Disk: false });
    await expect.poll(transitions).toEqual(['firing', 'resolved expired']);
  });

  it('fires again, although Alertmanager does not report that before its next repetition', async () => {
    const rig = await startRig();
    const { firing, later, clock, post, sender, transitions, proxy } = rig;
    await page(rig);
    clock.pass(901);
    const id = await silence(rig);
    await post(disk, 'ended');
    await later();
    clock.pass(61);
    await expect.poll(firing).toEqual({ Disk: false });
    // For longer than resolved alerts are remembered usually.
    clock.pass(3 * 3600);
    await post(disk);
    await later();
    expect(await firing()).toEqual({ Disk: false });

    await fetch(`${sender.url}/api/v2/silence/${id}`, { method: 'DELETE' });
    // Listed only once: it is gone before the next look.
    proxy.answer = async (response) => {
      const list = await (await fetch(`${sender.url}/api/v2/alerts`)).text();
      if (list.includes('active')) proxy.answer = nothing;
      response.end(list);
    };

    await expect.poll(firing).toEqual({ Disk: true });
    await later();
    clock.pass(61);
    await expect.poll(firing).toEqual({ Disk: false });
    const all = ['firing', 'resolved expired', 'firing', 'resolved expired'];
    await expect.poll(transitions).toEqual(all);
  });

  it('does not fire again if its route has changed', async () => {
    const rig = await startRig();
    const { firing, later, clock, post } = rig;
    await page(rig);
    clock.pass(901);
    await reload(rig, { receiver: 'nobody' });
    await post(disk, 'ended');
    await later();
    clock.pass(61);
    await expect.poll(firing).toEqual({ Disk: false });

    await post(disk);
    await later();

    expect(await firing()).toEqual({ Disk: false });
  });

  it('is resolved if the service was restarted between the two looks', async () => {
    const rig = await startRig();
    const { lab, later, clock, post, proxy } = rig;
    await page(rig);
    clock.pass(901);
    await silence(rig);
    await post(disk, 'ended');
    await later();
    await lab.stop();

    const again = await startLab({ clock, alertmanager: proxy.url, previous: lab });
    await later();
    clock.pass(61);

    await expect
      .poll(async () => (await again.alerts()).map(({ status }) => status))
      .toEqual(['resolved']);
  });

  it('is resolved after a restart of Alertmanager, which begins without alerts, but not before Prometheus had time to repeat them', async () => {
    const rig = await startRig();
    const { firing, later, clock, post, lab, proxy } = rig;
    await page(rig);
    await page(rig, 'Heat');
    clock.pass(3600);
    await later();

    await rig.sender.kill();
    await later();
    const next = await startSender(lab);
    proxy.target = next.url;
    await later();
    clock.pass(61);
    await later();
    expect(await firing()).toEqual({ Disk: true, Heat: true });
    clock.pass(3600);
    await later();
    await post({ alertname: 'Heat', team: 'a' }, undefined, next.url);
    await later();
    clock.pass(840);
    await later();
    expect(await firing()).toEqual({ Disk: true, Heat: true });
    clock.pass(61);
    await later();
    clock.pass(61);

    await expect.poll(firing).toEqual({ Disk: false, Heat: true });
  });

  it('is not resolved if it fires again between the looks', async () => {
    const rig = await startRig();
    const { firing, later, clock, post, proxy } = rig;
    await page(rig);
    clock.pass(901);
    await post(disk, 'ended');
    // Until its end is reported, no look follows.
    proxy.answer = unavailable;
    await expect.poll(firing).toEqual({ Disk: false });
    await post(disk);
    await expect.poll(firing).toEqual({ Disk: true });

    proxy.answer = nothing;
    await later();
    proxy.answer = undefined;
    clock.pass(61);
    await later();
    proxy.answer = nothing;
    await later();
    expect(await firing()).toEqual({ Disk: true });
    proxy.answer = unavailable;
    await post({ alertname: 'Heat', team: 'a' });
    // The webhook of the group repeats Disk.
    await expect.poll(firing).toEqual({ Disk: true, Heat: true });
    clock.pass(61);
    proxy.answer = nothing;
    await later();

    expect(await firing()).toEqual({ Disk: true, Heat: true });
    clock.pass(61);
    await expect.poll(firing).toEqual({ Disk: false, Heat: true });
  });

  it('is resolved without an earlier look if its webhook names this Alertmanager', async () => {
    const rig = await startRig({ isNamed: true });
    const { firing, later, clock, post, proxy } = rig;
    proxy.answer = unavailable;
    await post(disk);
    await expect.poll(firing).toEqual({ Disk: true });
    await silence(rig);
    await post(disk, 'ended');

    proxy.answer = undefined;
    await page(rig, 'Heat');
    clock.pass(901);
    await later();
    clock.pass(61);

    await expect.poll(firing).toEqual({ Disk: false, Heat: true });
  });
});

describe.skipIf(lacks('alertmanager'))(`a look does not resolve`, () => {
  it('alerts of another Alertmanager, or of Prometheus', async () => {
    const rig = await startRig();
    const { firing, later, clock, post, lab } = rig;
    await page(rig);
    clock.pass(901);
    await silence(rig);
    await post(disk, 'ended');
    const endsAt = new Date(Date.now() + 86_400_000).toISOString();
    await lab.post({ labels: disk, endsAt }, { labels: { alertname: 'Direct' }, endsAt });
    const other = await startSender(lab);
    await post({ alertname: 'Heat', team: 'b' }, undefined, other.url);
    // So that there is something to look for.
    await page(rig, 'Dust');
    const all = { Disk: true, Direct: true, Heat: true, Dust: true };
    await expect.poll(firing).toEqual(all);

    await later();
    clock.pass(61);
    await later();

    expect(await firing()).toEqual(all);
  });

  it('alerts that are muted for longer than Alertmanager has to repeat them', async () => {
    const rig = await startRig();
    const { firing, later, clock, transitions } = rig;
    await page(rig);
    await silence(rig);

    for (const hours of [13, 13]) {
      clock.pass(hours * 3600);
      await later();
    }

    expect(await firing()).toEqual({ Disk: true });
    expect(transitions()).toEqual(['firing']);
  });

  it.each(['the queried one', 'the other one'])(
    'alerts of a pair before it is over in both, nor if the last message came not from the queried one: %s',
    async (last) => {
      const rig = await startRig({ isNamed: true });
      const { firing, later, clock, post, lab, sender } = rig;
      const twin = await startSender(lab);
      const both = last === 'the other one' ? [sender.url, twin.url] : [twin.url, sender.url];
      const startsAt = new Date().toISOString();
      await page(rig, 'Heat');
      const count = async () => {
        const alerts = await lab.alerts();
        return alerts.find(({ labels }) => labels.alertname === 'Disk')?.count;
      };
      for (const [index, url] of both.entries()) {
        await post(disk, undefined, url, startsAt);
        await expect.poll(count).toBe(index + 1);
      }
      await later();
      clock.pass(901);
      await later();
      for (const url of both) await silence(rig, url);
      clock.pass(61);
      await later();
      expect(await firing()).toEqual({ Disk: true, Heat: true });

      for (const url of both) await post(disk, 'ended', url);
      await later();
      clock.pass(61);
      await later();

      const isLeft = last === 'the other one';
      await expect.poll(firing).toEqual({ Disk: isLeft, Heat: true });
      const why = isLeft ? expect.stringContaining(`came last from http`) : undefined;
      expect((await lab.client.status()).unseen).toEqual(why);
    },
  );

  it('anything while Alertmanager does not respond, and reports that', async () => {
    const rig = await startRig();
    const { firing, later, clock, lab, proxy, post } = rig;
    await page(rig);
    clock.pass(901);
    await silence(rig);
    await post(disk, 'ended');
    const unseen = async () => (await lab.client.status()).unseen;

    for (const answer of [unavailable, (response: ServerResponse) => response.end('null')]) {
      proxy.answer = answer;
      await later();
      clock.pass(100);
    }
    await later();

    expect(await firing()).toEqual({ Disk: true });
    expect(await unseen()).toMatch(/keep firing for up to 24 h: http:.* not a complete list/);
    expect((await lab.readyz()).body).toContain('"what":"alertmanager"');
    proxy.answer = undefined;
    await expect.poll(unseen).toBeUndefined();
  });

  const decade = 10 * 365 * 86_400;
  it.each([decade, -decade])(
    'anything for 15 minutes after Alertmanager listed the first alert, although the clock jumps by %d s',
    async (seconds) => {
      const rig = await startRig();
      const { later, clock, post, lab, proxy } = rig;
      await page(rig);
      await lab.stop();
      clock.jump(seconds);
      await post(disk, 'ended');
      const again = await startLab({ clock, alertmanager: proxy.url, previous: lab });
      const states = async () => (await again.alerts()).map(({ status }) => status);

      for (const passed of [0, 61, 61]) {
        clock.pass(passed);
        await later();
      }
      expect(await states()).toEqual(['firing']);
      clock.pass(780);
      await later();
      clock.pass(61);

      await expect.poll(states).toEqual(['resolved']);
    },
  );
});

it.skipIf(lacks('alertmanager'))('a look finds one alert among many', async () => {
  const rig = await startRig();
  const { firing, later, clock, sender, post } = rig;
  const headers = { 'content-type': 'application/json' };
  const text = 'what is broken, what it affects, and what to do first. '.repeat(10);
  // Each look reads them all.
  const [batches, machines] = isLong ? [50, 1000] : [2, 100];
  for (let batch = 0; batch < batches; batch += 1) {
    const alerts = Array.from({ length: machines }, (_, machine) => ({
      labels: { alertname: 'Hot', batch: `${batch}`, machine: `rpi-${machine}` },
      annotations: { text },
    }));
    const body = JSON.stringify(alerts);
    await fetch(`${sender.url}/api/v2/alerts`, { method: 'POST', headers, body });
  }

  await page(rig);
  clock.pass(901);
  await silence(rig);
  clock.pass(61);
  await later();
  expect(await firing()).toEqual({ Disk: true });
  await post(disk, 'ended');
  await later();
  clock.pass(61);

  await expect.poll(firing).toEqual({ Disk: false });
});
