/**
 * The machine's part of a rack.yaml on this machine, instead of the metadata server. Only this module loads the complete reader of
 * rack.yaml, which takes as much memory as the rest of the agent.
 */
import type { Logger } from '@skolo/common/light';
import type { RackWatch } from '@skolo/rack';
import type { PartSource } from './identity.ts';

interface PartFromFileDeps {
  file: string;
  machine: string;
  stateDir: string;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** @throws RackError There is neither a valid rack.yaml nor a last good copy. */
export async function partFromFile(deps: PartFromFileDeps): Promise<PartSource> {
  const { file, machine, stateDir, log } = deps;
  const { machinePartOf, watchRack } = await import('@skolo/rack');
  let report: Parameters<PartSource['start']>[0] | undefined;

  const watch: RackWatch = await watchRack({
    file,
    service: 'swarming-client',
    stateDir,
    onRejected(error) {
      log.error({ file, problems: error.message.split('\n') }, 'rack.yaml rejected');
      report?.failed(`rack.yaml was rejected: ${error.message.split('\n')[0]}`);
    },
    onReload: () => log.info({ file }, 'rack.yaml reloaded'),
    onError: (error) => log.warn({ err: error }, 'watching rack.yaml failed'),
  });

  function reportNow() {
    const found = watch.rack.machines.get(machine);
    if (found === undefined) {
      report?.failed(
        `${file} does not list machine ${machine}; specify --machine NAME, or add the machine`,
      );
      return;
    }
    report?.machinePart(JSON.parse(JSON.stringify(machinePartOf(watch.rack, found))));
  }

  return {
    from: 'file',
    start(to) {
      report = to;
      watch.onChange(reportNow);
      reportNow();
    },
    stop: () => watch.close(),
  };
}
