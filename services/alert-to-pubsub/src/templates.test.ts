/** The sinks of docs/change/alert-receivers.md, with receivers that have the published limits. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilTestEnds } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { parseRack } from '@skolo/rack';
import { type AlertReceiver, startAlertReceiver } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { startLab } from './testing/lab.ts';

const tokens: Record<string, string> = {
  pagerduty: 'e93facc04764012d7bfb002500d5d1a6',
  opsgenie: 'eb243592-faa2-4ba2-a551-1afdf565c889',
  slack: 'T0/B0/s3cret',
  'slack-api': 'xoxb-1',
  teams: 's1g',
  discord: '1234/s3cret',
  ntfy: 'tk_1',
  telegram: '12345:AB-cd',
  'google-chat': 'AAA/messages?key=key-1&token=token-1%3D',
};

/** Settings as documented, but for the hosts; `dir` gets the tokens. */
async function documented(receivers: Map<string, AlertReceiver>, dir: string): Promise<string> {
  const page = await readFile(
    new URL('../../../docs/change/alert-receivers.md', import.meta.url),
    'utf8',
  );
  const [, yaml = ''] = /```yaml\n(services:.*?)```/s.exec(page) ?? [];
  const rack = `rack: rack4\njumphost: { name: jump, address: 192.168.1.8 }\n${yaml}`;
  const { sinks } = parseRack(rack, { file: '/rack.yaml' }).services['alert-to-pubsub'];
  await mkdir(join(dir, 'secrets'));
  const moved = sinks.map(async (sink) => {
    if (sink.kind !== 'http' || !sink.template || !sink.token) throw new TypeError('no template');
    if ('file' in sink.token)
      await writeFile(join(dir, sink.token.file), `${tokens[sink.template]}\n`, { mode: 0o600 });
    const { name, kind, template, token, to, url } = sink;
    const receiver = untilTestEnds(await startAlertReceiver(template));
    receivers.set(template, receiver);
    const there = url.replace(/^https:\/\/[^/]+/, receiver.url);
    return { name, kind, template, token, url: there, ...(to && { to }) };
  });
  const log = { name: 'log', kind: 'file', file: 'log' };
  return `pubsub: false\nsinks: ${JSON.stringify([...(await Promise.all(moved)), log])}`;
}

describe('each template', () => {
  it('delivers an alert and its end, whatever it contains, without refreshes', async () => {
    const receivers = new Map<string, AlertReceiver>();
    const clock = fakeClock(Date.now());
    const lab = await startLab({
      clock,
      settings: 'pubsub: false\nsinks: [{ name: log, kind: file, file: log }]',
    });
    await lab.edit(await documented(receivers, lab.dir));
    const sinks = async () => (await lab.client.status({})).sinks;
    // Those of the page, and the log.
    await expect.poll(async () => (await sinks()).length).toBe(Object.keys(tokens).length + 1);
    const alert = {
      labels: { alertname: 'Long', severity: 'page', machine: '{{token}} "\\<!channel>\n' },
      annotations: { summary: '🔥'.repeat(3000), description: 'שלום '.repeat(40_000) },
    };

    await lab.post({ ...alert, endsAt: '2099-01-01T00:00:00Z' });
    const shown = () =>
      Object.fromEntries(
        [...receivers].map(([name, { calls }]) => [name, calls.map(({ answer }) => answer.shown)]),
      );
    const all = (...expected: boolean[]) =>
      Object.fromEntries(Object.keys(tokens).map((name) => [name, expected]));
    const areDone = async () => (await sinks()).every(({ depth }) => depth === 0);
    await expect.poll(shown).toEqual(all(true));
    await expect.poll(areDone).toBe(true);
    clock.pass(61_000);
    await expect.poll(() => readFile(join(lab.dir, 'log'), 'utf8')).toContain('"refresh"');
    await lab.post({ ...alert, endsAt: '2020-01-01T00:00:00Z' });

    await expect.poll(shown).toEqual(all(true, true));
    await expect.poll(areDone).toBe(true);
    expect((await sinks()).every(({ failingSince }) => failingSince === undefined)).toBe(true);
  });
});
