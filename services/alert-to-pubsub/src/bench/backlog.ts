/** A backlog as after an outage: the given number of transitions of a rack's alerts in the spool, none delivered. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AlertMessage } from '@skolo/alerts';
import { Spool, writeSnapshot } from '@skolo/base/durable';
import { fingerprintOf } from '../intake/fingerprint.ts';
import { createIds } from '../state/ids.ts';
import { alerts } from './requests.ts';

const batch = 1000;

/** Returns its size in bytes. */
export async function writeBacklog(stateDir: string, count: number): Promise<number> {
  await mkdir(stateDir, { recursive: true });
  const newId = createIds(0);
  const began = Date.now();
  const known = Array.from({ length: alerts }, (_, number) => messageOf(number, 0, began, newId));
  const spool = await Spool.open(join(stateDir, 'spool'));
  try {
    for (let done = 0; done < count; done += batch) {
      const texts = Array.from({ length: batch }, (_, i) => {
        const number = done + i;
        const round = Math.floor(number / alerts);
        return JSON.stringify(messageOf(number % alerts, round, began, newId));
      });
      await spool.append(texts);
    }
    await writeSnapshot(join(stateDir, 'spool', 'snapshot'), {
      next: spool.next,
      count: known.length,
      texts: known.map(({ id: _, kind: __, at: ___, ...rest }) =>
        JSON.stringify({ ...rest, silentMs: 1e9 }),
      ),
    });
    return spool.bytes;
  } finally {
    await spool.close();
  }
}

function messageOf(
  number: number,
  round: number,
  at: number,
  newId: ReturnType<typeof createIds>,
): AlertMessage {
  const instance = `rpi-${number}:9100`;
  const labels = {
    alertname: 'InstanceDown',
    cluster: 'rack4',
    instance,
    job: 'node',
    severity: 'critical',
  };
  const fingerprint = fingerprintOf(labels);
  const time = new Date(at).toISOString();
  return {
    kind: 'transition',
    id: newId(fingerprint, at),
    at: time,
    alert: {
      fingerprint,
      status: round % 2 === 0 ? 'firing' : 'resolved',
      labels,
      annotations: {
        description: `${instance} of job node has been down for more than 5 minutes.`,
        summary: `Instance ${instance} down`,
      },
      startsAt: time,
      endsAt: time,
      generatorURL: 'http://prometheus.example.com/graph?g0.expr=up+%3D%3D+0&g0.tab=1',
    },
    endpoint: 'v2',
    first: time,
    last: time,
    count: 1,
  };
}
