/** Appends lines to an audit log until it is killed; prints the number of each once it is acknowledged. */

import { report } from '@skolo/base/durable/fault-injection';
import { Registry } from 'prom-client';
import { AuditLog } from '../audit/audit-log.ts';
import { systemClock } from '../process/clock.ts';

const [dir = '', writers = '1'] = process.argv.slice(2);
const degraded = { raise: () => undefined, clear: () => undefined };
const audit = new AuditLog(dir, { clock: systemClock, degraded, metrics: new Registry() });

async function append(writer: number) {
  for (let number = 0; ; number += 1) {
    const target = `${writer}-${number}`;
    await audit.append({ who: 'writer', what: 'test', target, outcome: 'done' });
    report(`${target}`);
  }
}

await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => append(writer)));
