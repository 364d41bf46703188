/**
 * The original system's report: `POST /powercycled_bots` with `{"powercycled_bots": ["NAME", …]}` reports that others have cycled these
 * machines. It is answered with 202 once it is in the audit log.
 */
import type { IncomingMessage } from 'node:http';
import { parseJson } from '@skolo/base';
import { HttpProblem } from '@skolo/common';
import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';

const Report = z.object({ powercycled_bots: z.array(z.string().min(1).max(300)).max(10_000) });
const mostBytes = 1024 * 1024;

export const report: Endpoint = {
  name: 'report',
  create: ({ log, audit }) => ({
    async http(request, { url, from }) {
      if (url.pathname !== '/powercycled_bots') {
        throw new HttpProblem(404, 'Not found: POST /powercycled_bots');
      }
      if (request.method !== 'POST') {
        throw new HttpProblem(405, 'Only POST', { headers: { allow: 'POST' } });
      }
      const parsed = Report.safeParse(parseJson(await bodyOf(request)));
      if (!parsed.success) {
        throw new HttpProblem(400, 'Not a report: {"powercycled_bots": ["NAME", …]}');
      }
      const names = parsed.data.powercycled_bots;
      const who = `report endpoint, ${from}`;
      const what = 'power-cycled elsewhere';
      await audit.begin({ who, what, target: names.join(' '), outcome: 'reported' }, true);
      log.info({ names, from }, 'power-cycled elsewhere');
      return { status: 202, text: 'Accepted' };
    },
  }),
};

/**
 * Read to the end even when too long, because many clients read the answer only after they have sent everything.
 *
 * @throws HttpProblem 413
 */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Buffer)) continue;
    length += chunk.length;
    if (length <= mostBytes) chunks.push(chunk);
  }
  if (length > mostBytes) throw new HttpProblem(413, `A report must not exceed ${mostBytes} bytes`);
  return Buffer.concat(chunks).toString('utf8');
}
