import { type RackError, type RackWatch, type ServiceName, watchRack } from '@skolo/rack';
import type { Registry } from 'prom-client';
import type { Clock } from './clock.ts';
import type { EventLog } from './log.ts';
import { addRackMetrics } from './metrics.ts';

export interface OpenRackOptions {
  rackFile: string;
  stateDir: string;
  name: ServiceName;
  clock: Clock;
  metrics: Registry;
  log: EventLog;
}

/** The rack, watched, with what happens to it in log and metrics. @throws RackError */
export async function openRack(options: OpenRackOptions): Promise<RackWatch> {
  const { rackFile, stateDir, name, clock, metrics, log } = options;
  const reload = addRackMetrics(metrics, clock);
  let refusedAtStart = false;
  const rack = await watchRack({
    file: rackFile,
    service: name,
    stateDir,
    onRefused(error) {
      refusedAtStart = true;
      reload.refused();
      log.error({ file: rackFile, problems: problemsOf(error) }, 'rack.yaml refused');
    },
    onDisabled({ what }) {
      reload.disabled(what.length);
      log.error({ file: rackFile, disabled: what }, 'entries of rack.yaml disabled');
    },
    onReload() {
      reload.reloaded();
      log.info({ file: rackFile }, 'rack.yaml reloaded');
    },
    onError(error) {
      log.warn({ err: error }, 'rack.yaml not watched as it should be');
    },
  });
  if (!refusedAtStart) reload.reloaded();
  return rack;
}

/** One line for each: `rack.yaml:12:5 machines.x.power: …`. */
export function problemsOf(error: RackError): string[] {
  return error.message.split('\n');
}
