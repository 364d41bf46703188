/**
 * The report of the original system: `POST /powercycled_bots` with `{"powercycled_bots": ["NAME", …]}` says that somebody
 * else has cycled these. It is kept in the audit log, and answered with 202.
 */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Door } from './door.ts';

const Report = z.object({ powercycled_bots: z.array(z.string().min(1).max(300)).max(10_000) });
const mostBytes = 1024 * 1024;

export const report: Door = {
  name: 'report',
  create({ log, record }) {
    return async function answer(request, response, from) {
      const say = (status: number, text: string) => {
        response
          .writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
          .end(`${text}\n`);
      };
      if (new URL(request.url ?? '/', 'http://door').pathname !== '/powercycled_bots') {
        return say(404, 'Not found: POST /powercycled_bots');
      }
      if (request.method !== 'POST') {
        response.setHeader('allow', 'POST');
        return say(405, 'Only POST');
      }
      const text = await bodyOf(request);
      if (text === undefined) return say(413, 'More than a report can be');
      const parsed = Report.safeParse(parseJson(text));
      if (!parsed.success) return say(400, 'Not a report: {"powercycled_bots": ["NAME", …]}');
      const names = parsed.data.powercycled_bots;
      const entry = {
        who: `report door, ${from}`,
        what: 'power-cycled elsewhere',
        outcome: 'reported',
      };
      await record({ ...entry, target: names.join(' ') });
      log.info({ names, from }, 'power-cycled elsewhere');
      return say(202, 'Accepted');
    };
  },
};

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Buffer)) continue;
    length += chunk.length;
    if (length > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
