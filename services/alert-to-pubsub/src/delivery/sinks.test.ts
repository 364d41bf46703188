/** The sinks of rack.yaml, as they come, go, and are away. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { listen, tempDir, untilTestEnds } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { type AlertProcess, startAlertProcess } from '../testing/alert-process.ts';
import { type Lab, rackYaml, startLab } from '../testing/lab.ts';

const arrivedNames = (lab: Lab) => lab.arrived().map(({ attributes }) => attributes.alertname);

describe('a sink', () => {
  it('that may lose messages holds up no other sink, however long it is away', async () => {
    const clock = fakeClock(Date.now());
    const lab = await startLab({
      clock,
      settings: `spool: { maxAgeHours: 1 }
sinks: [{ name: pagers, kind: http, url: "http://127.0.0.1:1/", dropWhenFull: true }]`,
    });
    await lab.post({ labels: { alertname: 'A' } });
    await expect.poll(() => arrivedNames(lab)).toEqual(['A']);
    clock.pass(2 * 3_600_000);

    await expect
      .poll(async () => (await lab.post({ labels: { alertname: 'B' } })).status)
      .toBe(200);
    await expect.poll(() => arrivedNames(lab)).toContain('B');
    expect(lab.logged()).toContainEqual(expect.objectContaining({ msg: 'messages dropped' }));
  });

  it('that fails for one message, and accepts others, keeps nothing out, however long it fails', async () => {
    const clock = fakeClock(Date.now());
    const accepted: string[] = [];
    const server = createServer(async (request, response) => {
      const name = await text(request);
      if (name !== 'Bad') accepted.push(name);
      response.writeHead(name === 'Bad' ? 500 : 200).end();
    });
    const url = `http://127.0.0.1:${await listen(server)}/`;
    const sink = `{ name: pager, kind: http, url: "${url}", body: "{{labels.alertname}}" }`;
    const settings = `pubsub: false\nspool: { maxAgeHours: 1 }\nsinks: [${sink}]`;
    const lab = await startLab({ clock, settings });
    const post = async (alertname: string) => (await lab.post({ labels: { alertname } })).status;
    await post('Bad');
    await expect.poll(async () => (await lab.client.status({})).sinks[0]?.down).toBe(true);

    for (const alertname of ['A', 'B', 'C']) {
      clock.pass(50 * 60_000);
      expect(await post(alertname)).toBe(200);
      await expect.poll(() => accepted).toContain(alertname);
    }
  });

  it('that may have got a message shows it after `kill -9`, gets it again later, and another one gets it at once', async () => {
    const got: string[] = [];
    async function startReceiver(isSilent: boolean) {
      const server = createServer(async (request, response) => {
        got.push(await text(request));
        if (isSilent) response.destroy();
        else response.end();
      });
      return `http://127.0.0.1:${await listen(server)}/`;
    }
    const dir = await tempDir();
    async function write(url: string) {
      const sink = `{ name: pager, kind: http, url: "${url}", body: "{{labels.alertname}}" }`;
      const yaml = rackYaml('127.0.0.1:1', `pubsub: false\nsinks: [${sink}]`);
      await writeFile(join(dir, 'new.yaml'), yaml);
      await rename(join(dir, 'new.yaml'), join(dir, 'rack.yaml'));
    }
    await write(await startReceiver(true));
    const first = await startAlertProcess(dir);
    const body = JSON.stringify([{ labels: { alertname: 'A' } }]);
    await fetch(`${first.url}/api/v2/alerts`, { method: 'POST', body });
    const doubtful = async ({ client }: AlertProcess) =>
      (await client.status({})).sinks[0]?.doubtful;
    await expect.poll(() => doubtful(first)).toBe(1);
    const saved = () => readFile(join(dir, 'state/arrived.json'), 'utf8').catch(String);
    await expect.poll(saved).toBe('{"pager doubts":[[1,1]]}');
    await first.end('SIGKILL');

    const second = await startAlertProcess(dir);
    untilTestEnds({ close: () => second.end('SIGTERM') });
    await expect.poll(() => doubtful(second)).toBe(1);
    expect(got).toEqual(['A']);
    await write(await startReceiver(false));

    await expect.poll(() => got).toEqual(['A', 'A']);
    await expect.poll(() => doubtful(second)).toBeUndefined();
  });

  it('that replaces another gets the messages that the other has not got', async () => {
    const sink = (name: string, file: string) => (dir: string) =>
      `pubsub: false\nsinks: [{ name: ${name}, kind: file, file: ${dir}/${file} }]`;
    const lab = await startLab({ settings: sink('log', 'log.jsonl') });
    const written = async (name: string) => {
      const text = await readFile(join(lab.dir, name), 'utf8').catch(() => '');
      const lines = text.split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line).attributes.alertname);
    };
    await lab.post({ labels: { alertname: 'A' } });
    await expect.poll(() => written('log.jsonl')).toEqual(['A']);
    await lab.edit(sink('away', 'no-folder/log.jsonl')(lab.dir));
    await expect
      .poll(async () => (await lab.client.status({})).sinks.map(({ name }) => name))
      .toEqual(['away']);
    await lab.post({ labels: { alertname: 'B' } });
    await lab.edit(sink('other', 'other.jsonl')(lab.dir));

    await expect.poll(() => written('other.jsonl')).toEqual(['B']);
  });

  it('that is removed leaves no acknowledged message to nobody', async () => {
    const lab = await startLab();
    const log = `sinks: [{ name: log, kind: file, file: ${lab.dir}/log.jsonl }]`;
    const sinks = async () => (await lab.client.status({})).sinks.map(({ name }) => name);
    await lab.pubsub.stop();
    expect((await lab.post({ labels: { alertname: 'A' } })).status).toBe(200);
    const ended = { labels: { alertname: 'A' }, endsAt: new Date().toISOString() };
    expect((await lab.post(ended)).status).toBe(200);

    await lab.edit(`pubsub: true\n${log}`);
    await expect.poll(sinks).toEqual(['pubsub', 'log']);
    await lab.edit(`pubsub: false\n${log}`);
    await expect.poll(sinks).toEqual(['log']);

    // A refresh would not repeat an alert that has ended.
    await expect
      .poll(() => readFile(join(lab.dir, 'log.jsonl'), 'utf8').catch(() => ''))
      .toMatch(/"status":"resolved"/);
  });

  it('may lose only messages that another sink has received', async () => {
    const clock = fakeClock(Date.now());
    const away = (name: string) =>
      `{ name: ${name}, kind: http, url: "http://127.0.0.1:1/", dropWhenFull: true }`;
    const lab = await startLab({
      clock,
      settings: `pubsub: false\nspool: { maxAgeHours: 1 }\nsinks: [${away('a')}, ${away('b')}]`,
    });
    const depths = async () => (await lab.client.status({})).sinks.map(({ depth }) => depth);
    expect((await lab.post({ labels: { alertname: 'A' } })).status).toBe(200);
    await expect.poll(async () => (await lab.client.status({})).sinks[1]?.reason).toBeDefined();
    clock.pass(2 * 3_600_000);

    expect((await lab.post({ labels: { alertname: 'B' } })).status).toBe(503);
    expect(await depths()).toEqual([1, 1]);
  });

  it('that comes back gets no message again', async () => {
    const lab = await startLab();
    await lab.post({ labels: { alertname: 'A' } });
    await expect.poll(() => arrivedNames(lab)).toEqual(['A']);
    const sinks = async () => (await lab.client.status({})).sinks.map(({ name }) => name);
    await lab.edit(`pubsub: false\nsinks: [{ name: log, kind: file, file: ${lab.dir}/log.jsonl }]`);
    await expect.poll(sinks).toEqual(['log']);
    await lab.edit('');
    await expect.poll(sinks).toEqual(['pubsub']);
    await lab.post({ labels: { alertname: 'B' } });

    await expect.poll(() => arrivedNames(lab)).toContain('B');
    expect(arrivedNames(lab)).toEqual(['A', 'B']);
  });
});
