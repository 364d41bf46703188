/** When a push counts as abandoned, without a cluster. */
import { tempDir } from '@skolo/base/testing';
import { packUnfinished } from '@skolo/rack/jumphost';
import { expect, it } from 'vitest';
import { endAbandonedPush, pushHolder } from './abandoned.ts';

/** A push of ann that has changed nothing yet, and its Lease. */
async function abandoned() {
  const lease = { metadata: { resourceVersion: '1' }, spec: { holderIdentity: 'ann' } };
  const push = { id: '7', by: 'ann', isApplied: false, restore: [], remove: [], record: {} };
  const run = await tempDir();
  let secret: object | undefined = packUnfinished(push);
  const api: Parameters<typeof endAbandonedPush>[0] = {
    async get(path, schema) {
      const found = path.includes('/leases/') ? lease : secret;
      return found && schema.parse(found);
    },
    async patch(_path, change) {
      lease.metadata.resourceVersion += '1';
      Object.assign(lease.spec, 'spec' in change && change.spec);
    },
    async remove() {
      secret = undefined;
    },
  };
  const look = async (seconds: number) => {
    const deps = { settings: { pushSeconds: 100 }, uptime: () => seconds, print: () => undefined };
    await endAbandonedPush(api, deps, run);
    return [secret === undefined, await pushHolder(api, deps, run)];
  };
  return { lease, look };
}

it('a push is rolled back once its Lease has not changed for long enough, and is then free', async () => {
  const { look } = await abandoned();

  expect(await look(5000)).toEqual([false, 'ann']);
  expect(await look(5050)).toEqual([false, 'ann']);
  expect(await look(5100)).toEqual([false, 'ann']);
  expect(await look(5101)).toEqual([true, undefined]);
});

it('a push is not rolled back because the jumphost was suspended', async () => {
  const { look } = await abandoned();

  await look(5000);
  await look(5050);

  expect(await look(9000)).toEqual([false, 'ann']);
});

it('a push is not rolled back while its Lease is renewed', async () => {
  const { lease, look } = await abandoned();

  for (let seconds = 5000; seconds < 5300; seconds += 60) {
    lease.metadata.resourceVersion = `${seconds}`;
    expect(await look(seconds)).toEqual([false, 'ann']);
  }
});
