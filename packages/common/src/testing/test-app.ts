import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { Registry } from 'prom-client';
import { AccessControl } from '../access/access-control.ts';
import { AuditLog } from '../audit/audit-log.ts';
import { fakeClock } from './fake-clock.ts';
import { memoryDegraded } from './memory-degraded.ts';
import { memoryLog } from './memory-log.ts';
import { testRack } from './test-rack.ts';

/** Everything that createApp and routes want, over a rack with the given section `access`. */
export async function testApp(access = '{}') {
  const dir = await tempDir();
  const stateDir = join(dir, 'state');
  await mkdir(stateDir);
  // Google’s verifier cannot be told another time than now.
  const clock = fakeClock(Date.now());
  const degraded = memoryDegraded();
  const metrics = new Registry();
  const rack = testRack(dir, `access: ${access}`);
  const log = memoryLog();
  const audit = new AuditLog(join(stateDir, 'audit'), { clock, degraded, metrics });
  return {
    dir,
    stateDir,
    rack,
    clock,
    degraded,
    metrics,
    memory: log,
    options: {
      name: 'test',
      rack,
      version: '1.2.3',
      log: log.log,
      metrics,
      clock,
      access: new AccessControl({ rack, stateDir, metrics, clock, degraded, audit }),
      audit,
    },
  };
}
