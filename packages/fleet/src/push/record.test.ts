import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { openRecords } from './record.ts';
import { requestOf } from './testing/racks.ts';

it('keeps the last 50 pushes, and the one that begins although its clock was set back', async () => {
  const records = openRecords(await tempDir());
  const ids = Array.from({ length: 60 }, (_, at) => `2026-11-27T10-00-${10 + at}Z`);
  for (const id of ids) await records.create(requestOf({ id }));

  const request = requestOf({ id: '2025-01-01T00-00-00Z' });
  await records.create(request);

  const kept = (await records.all()).map(({ request: { id } }) => id);
  expect(kept).toEqual([request.id, ...ids.slice(-50)]);
});

it('reads a push whose workstation died before it wrote anything about a rack', async () => {
  const records = openRecords(await tempDir());
  const request = requestOf({ id: '2026-11-27T10-00-00Z' });

  await records.create(request);

  const racks = [
    { rack: 'rack4', state: 'waiting', pins: [], previous: [], at: request.startedAt },
  ];
  expect(await records.all()).toEqual([{ request, racks }]);
});
