/** The limit of changes of each name, by HTTP. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { route } from '@skolo/api';
import { AuditEntry } from '@skolo/api/audit-log';
import request from 'supertest';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { newToken } from '../access/token-file.ts';
import { createApp } from '../http/service-app.ts';
import { testApp } from '../testing/test-app.ts';

const api = {
  stop: route({
    method: 'post',
    path: '/v1/stop',
    summary: 'Stops machines',
    role: 'operate',
    body: z.strictObject({ machines: z.array(z.string()) }),
    audits: { target: ['body.machines'] },
    answers: { 204: undefined },
  }),
};

async function start() {
  const parts = await testApp('{ tokens: { file: tokens.yaml } }');
  const file = join(parts.dir, 'tokens.yaml');
  const stopped: string[][] = [];
  const app = createApp(parts.options, {
    api,
    handlers: {
      stop({ body: { machines } }) {
        stopped.push(machines);
        return { status: 204 };
      },
    },
  });
  async function audited() {
    const month = new Date(parts.clock.now()).toISOString().slice(0, 7);
    const text = await readFile(join(parts.stateDir, 'audit', `${month}.jsonl`), 'utf8');
    const lines = text.trim().split('\n');
    return lines.map((line) => AuditEntry.parse(JSON.parse(line)));
  }
  return {
    ...parts,
    stopped,
    audited,
    newToken: (name: string) => newToken(file, { name, role: 'operate', expiresInDays: 1 }),
    stop: (token: string, ...machines: string[]) =>
      request(app).post('/v1/stop').auth(token, { type: 'bearer' }).send({ machines }),
  };
}

it('rejects who fills the audit log before the next change; each change has both lines', async () => {
  const { stop, stopped, audited, newToken: token, clock, metrics } = await start();
  const [ann, bob] = [await token('ann'), await token('bob')];
  // The longest line: a control character is six in JSON.
  const long = '\u0001'.repeat(100_000);

  const codes: number[] = [];
  for (let count = 0; count < 9; count += 1) codes.push((await stop(ann, long)).status);
  const late = await stop(ann, 'rpi-1');
  const other = await stop(bob, 'rpi-2');

  expect(codes).toEqual([204, 204, 204, 204, 204, 204, 429, 429, 429]);
  expect([late.status, other.status]).toEqual([429, 204]);
  expect(late.body.detail).toMatch(/^ann: too many changes; try again in \d+ s$/);
  expect(stopped.map(([name]) => name)).toEqual([...Array(6).fill(long), 'rpi-2']);
  expect((await audited()).map(({ who, outcome }) => `${who} ${outcome}`)).toEqual([
    ...Array(6).fill(['ann begun', 'ann done']).flat(),
    'bob begun',
    'bob done',
  ]);
  expect(await metrics.getSingleMetricAsString('skolo_access_limited_total')).toContain(
    'skolo_access_limited_total{limit="changes"} 4',
  );

  clock.pass(1000 * Number(late.headers['retry-after']));
  expect((await stop(ann, 'rpi-1')).status).toBe(204);
});
