import { type RackError, type RackWatch, watchRack } from '@skolo/rack';
import { addRackMetrics } from '../health/metrics.ts';
import type { ServiceContext } from '../service.ts';
import type { EventLog } from './log.ts';

interface OpenRackOptions extends Pick<ServiceContext, 'stateDir' | 'name' | 'clock' | 'metrics'> {
  rackFile: string;
  log: EventLog;
}

/** Watches the rack, with log and metrics. @throws RackError */
export async function openRack(options: OpenRackOptions): Promise<RackWatch> {
  const { rackFile, stateDir, name, clock, metrics, log } = options;
  const reload = addRackMetrics(metrics, clock);
  let rejectedAtStart = false;
  const rack = await watchRack({
    file: rackFile,
    service: name,
    stateDir,
    onRejected(error) {
      rejectedAtStart = true;
      reload.rejected();
      log.error({ file: rackFile, problems: problemsOf(error) }, 'rack.yaml rejected');
    },
    onDisabled({ what }) {
      reload.disabled(what.length);
      log.error({ file: rackFile, disabled: what }, 'rack.yaml entries disabled');
    },
    onReload() {
      reload.reloaded();
      log.info({ file: rackFile }, 'rack.yaml reloaded');
    },
    onError(error) {
      log.warn({ err: error }, 'watching rack.yaml failed');
    },
  });
  if (!rejectedAtStart) reload.reloaded();
  return rack;
}

/** One line per problem: `rack.yaml:12:5 machines.x.power: …`. */
export function problemsOf(error: RackError): string[] {
  return error.message.split('\n');
}
