/** wait_for_change, on keys of every kind. */

import { setMaxListeners } from 'node:events';
import { connect } from 'node:net';
import { countRounds } from '@skolo/base/durable/fault-injection';
import { describe, expect, it, vi } from 'vitest';
import { bots, rackYaml, self, startRack, type TestRack } from '../testing/rack.ts';

const changed = rackYaml.replace('pool: phones', 'pool: tablets');

/** Resolves once the server has so many requests that wait. */
async function waiting(rack: TestRack, count: number): Promise<void> {
  await expect.poll(() => rack.metrics()).toContain(`skolo_metadata_watchers ${count}\n`);
}

describe('wait_for_change', () => {
  it('answers when the content changes, with the new content and ETag', async () => {
    const rack = await startRack();
    const path = 'instance/attributes/pool';
    const { etag } = (await rack.get(path)).headers;
    const polls = [
      rack.get(`${path}?wait_for_change=true`),
      rack.get(`${path}?wait_for_change=true&last_etag=${etag}&timeout_sec=3600`),
      rack.get('instance/attributes/?recursive=true&wait_for_change=true'),
      rack.get('?recursive=true&alt=text&wait_for_change=True'),
    ];
    await waiting(rack, 4);
    await rack.edit(changed);

    const replies = await Promise.all(polls);

    for (const reply of replies) {
      expect(reply.status).toBe(200);
      expect(reply.body).toContain('tablets');
    }
    expect(replies[0]?.headers.etag).not.toBe(etag);
    expect(await rack.metrics()).toContain('skolo_metadata_watchers 0\n');
  });

  it.each(['NONE', '0', 'ffffffffffffffff'])(
    'answers at once where last_etag=%s is not the current one',
    async (etag) => {
      const rack = await startRack();
      const reply = await rack.get(
        `instance/attributes/pool?wait_for_change=true&last_etag=${etag}`,
      );
      expect(reply).toMatchObject({ status: 200, body: 'phones' });
    },
  );

  it('answers with what is there when its time is over', async () => {
    const rack = await startRack();
    const reply = await rack.get('instance/attributes/pool?wait_for_change=true&timeout_sec=1');
    expect(reply).toMatchObject({ status: 200, body: 'phones' });
    expect(reply.headers.etag).toMatch(/^[0-9a-f]{16}$/);
    expect((await rack.get('instance/id?wait_for_change=true&timeout_sec=0')).status).toBe(200);
  });

  it('ends with 404 when the key is deleted', async () => {
    const rack = await startRack();
    const poll = rack.get('instance/attributes/pool?wait_for_change=true');
    await waiting(rack, 1);
    await rack.edit(rackYaml.replace('attributes: { pool: phones, Empty: "" }', 'attributes: {}'));
    expect((await poll).status).toBe(404);
  });

  it('goes on waiting through changes of something else', async () => {
    const rack = await startRack();
    const poll = rack.get('project/project-id?wait_for_change=true');
    await waiting(rack, 1);
    await rack.edit(changed);
    expect(
      (await rack.get('instance/attributes/pool?wait_for_change=true&last_etag=x')).status,
    ).toBe(200);
    await rack.edit(changed.replace('project: my-project', 'project: new-project'));
    expect((await poll).body).toBe('new-project');
  });

  it.each(['NONE', '0', 'ffffffffffffffff'])(
    'on a token answers at once where last_etag=%s, which no token has',
    async (etag) => {
      const rack = await startRack();
      await rack.token();

      const reply = await rack.token({ query: `?wait_for_change=true&last_etag=${etag}` });

      expect(JSON.parse(reply.body)).toHaveProperty('access_token');
    },
  );

  it('on a token waits where last_etag is empty, as clients send it that got no ETag', async () => {
    const rack = await startRack();
    await rack.token();

    const poll = rack.token({ query: '?wait_for_change=true&last_etag=&timeout_sec=3600' });

    await waiting(rack, 1);
    await rack.stop();
    expect((await poll).status).toBe(200);
  });

  it('on a token ends with the next token', async () => {
    const rack = await startRack();
    const { body } = await rack.token();
    const poll = rack.token({ query: '?wait_for_change=true' });
    await waiting(rack, 1);
    await rack.edit(
      rackYaml.replace('scopes: [https://www.googleapis.com/auth/userinfo.email, ', 'scopes: ['),
    );
    const next = await poll;
    expect(next.status).toBe(200);
    expect(JSON.parse(next.body).access_token).not.toBe(JSON.parse(body).access_token);
  });

  it('costs nothing when the caller hangs up', async () => {
    const rack = await startRack();
    const hangUp = new AbortController();
    setMaxListeners(0, hangUp.signal);
    const polls = Array.from({ length: 20 }, () =>
      rack
        .get('?recursive=true&wait_for_change=true', { signal: hangUp.signal })
        .catch(() => undefined),
    );
    await waiting(rack, 20);
    hangUp.abort();
    await Promise.all(polls);
    await waiting(rack, 0);
  });

  it('costs nothing when a caller of many on one connection hangs up', async () => {
    const rack = await startRack();
    const socket = connect({ port: rack.port, host: '127.0.0.1', localAddress: '127.0.1.1' });
    const head = 'HTTP/1.1\r\nHost: metadata\r\nMetadata-Flavor: Google\r\n\r\n';
    const poll = `GET /computeMetadata/v1/instance/name?wait_for_change=true ${head}`;
    socket.write(poll.repeat(8));
    // Requests of one connection are answered in turn.
    await waiting(rack, 1);
    socket.destroy();
    await waiting(rack, 0);
  });

  it('costs nothing when the caller hangs up while its MAC is looked up', async () => {
    const lookUps: ((mac: string) => void)[] = [];
    const yaml = rackYaml.replace('    kind: rpi', '    mac: 02:00:00:00:00:0[1-9]\n    kind: rpi');
    const findMac = () => new Promise<string>((resolve) => lookUps.push(resolve));
    const rack = await startRack({ yaml, findMac });
    const hangUp = new AbortController();
    const poll = rack.get('instance/name?wait_for_change=true', { signal: hangUp.signal });
    await vi.waitFor(() => expect(lookUps.length).toBe(1));
    hangUp.abort();
    await expect(poll).rejects.toThrow();
    // An answer on a later connection: by now the server knows that this one has ended.
    await rack.get('instance/name', { from: self });

    lookUps[0]?.('02:00:00:00:00:01');

    await waiting(rack, 0);
  });

  it('is answered with what is there when the server stops', async () => {
    const rack = await startRack();
    const poll = rack.get('instance/attributes/pool?wait_for_change=true');
    await waiting(rack, 1);
    await rack.stop();
    expect(await poll).toMatchObject({ status: 200, body: 'phones' });
  });
});

const polls = countRounds(20, 100);

it(`never mixes up identities while rack.yaml changes under ${polls} polls`, async () => {
  const rack = await startRack();
  const swapped = rackYaml.replace('identity: bots\n    device', 'identity: jumphost\n    device');
  const emails = new Map([
    ['my-project', bots],
    ['other-project', 'jumphost@my-project.iam.gserviceaccount.com'],
  ]);
  let stopped = false;
  const pollers = Array.from({ length: polls }, async (_, i) => {
    const from = `127.0.1.${1 + (i % 9)}`;
    while (!stopped) {
      const { status, body } = await rack.get('?recursive=true', { from });
      expect(status).toBe(200);
      const { project, instance } = JSON.parse(body);
      expect(instance.name).toBe(`rack1-shelf1-00${1 + (i % 9)}`);
      expect(instance.serviceAccounts.default.email).toBe(emails.get(project.projectId));
    }
  });
  for (const [yaml, project] of [
    [swapped, 'other-project'],
    [rackYaml, 'my-project'],
    [swapped, 'other-project'],
  ] as const) {
    const { etag } = (await rack.get('project/project-id')).headers;
    const poll = rack.get(`project/project-id?wait_for_change=true&last_etag=${etag}`);
    await rack.edit(yaml);
    expect((await poll).body).toBe(project);
  }
  stopped = true;
  await Promise.all(pollers);
});
