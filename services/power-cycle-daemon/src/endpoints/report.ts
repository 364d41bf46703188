/**
 * The report of the original system: `POST /powercycled_bots` with `{"powercycled_bots": ["NAME", …]}` reports that others
 * have cycled these. It is kept in the audit log, and answered with 202 once it is.
 */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { type Endpoint, sendText } from './endpoint.ts';

const Report = z.object({ powercycled_bots: z.array(z.string().min(1).max(300)).max(10_000) });
const mostBytes = 1024 * 1024;

export const report: Endpoint = {
  name: 'report',
  create: ({ log, audit }) => ({
    async http(request, response, { url, from }) {
      if (url.pathname !== '/powercycled_bots') {
        return sendText(response, 404, 'Not found: POST /powercycled_bots');
      }
      if (request.method !== 'POST') return sendText(response, 405, 'Only POST', { allow: 'POST' });
      const text = await bodyOf(request);
      if (text === undefined)
        return sendText(response, 413, `A report is at most ${mostBytes} bytes`);
      const parsed = Report.safeParse(parseJson(text));
      if (!parsed.success) {
        return sendText(response, 400, 'Not a report: {"powercycled_bots": ["NAME", …]}');
      }
      const names = parsed.data.powercycled_bots;
      await audit.append({
        who: `report door, ${from}`,
        what: 'power-cycled elsewhere',
        target: names.join(' '),
        outcome: 'reported',
      });
      log.info({ names, from }, 'power-cycled elsewhere');
      return sendText(response, 202, 'Accepted');
    },
  }),
};

/** Undefined: too long. All of it is read even then, since many clients only read the answer once they have sent everything. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Buffer)) continue;
    length += chunk.length;
    if (length <= mostBytes) chunks.push(chunk);
  }
  return length > mostBytes ? undefined : Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
