/**
 * The slice from a rack.yaml on this machine, instead of the metadata server. All of rack.yaml's reader is loaded only
 * here: it takes as much memory as the rest of the agent.
 */
import type { Logger } from '@skolo/common/light';
import { errorText } from '@skolo/errors';
import type { Machine, Rack, RackWatch } from '@skolo/rack';
import { agentToken, agentTokenDigest, readSecret } from '@skolo/secrets';
import type { SliceSource } from './identity.ts';

export interface SliceFromFileDeps {
  file: string;
  machine: string;
  stateDir: string;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** @throws RackError There is neither a valid rack.yaml nor a last good copy. */
export async function sliceFromFile(deps: SliceFromFileDeps): Promise<SliceSource> {
  const { file, machine, stateDir, log } = deps;
  const { machineSlice, watchRack } = await import('@skolo/rack');
  let report: Parameters<SliceSource['start']>[0] | undefined;

  const watch: RackWatch = await watchRack({
    file,
    service: 'swarming-client',
    stateDir,
    onRejected(error) {
      log.error({ file, problems: error.message.split('\n') }, 'rack.yaml rejected');
      report?.failed(`rack.yaml was refused: ${error.message.split('\n')[0]}`);
    },
    onReload: () => log.info({ file }, 'rack.yaml reloaded'),
    onError: (error) => log.warn({ err: error }, 'watching rack.yaml failed'),
  });

  async function reportNow() {
    const found = watch.rack.machines.get(machine);
    if (found === undefined) {
      report?.failed(`${file} has no machine ${machine}; give --machine NAME, or add it there`);
      return;
    }
    const digest = await tokenDigest(watch.rack, found);
    report?.slice(JSON.parse(JSON.stringify(machineSlice(watch.rack, found, digest))));
  }

  /** Undefined: sign-in is not possible here. */
  async function tokenDigest(rack: Rack, { name, login }: Machine): Promise<string | undefined> {
    const token = login === undefined ? undefined : rack.logins.get(login)?.token;
    if (token === undefined) return undefined;
    try {
      const secret = await readSecret(rack, token);
      return agentTokenDigest(agentToken(secret.reveal().trim(), name));
    } catch (error) {
      log.warn({ login, why: errorText(error) }, 'token of the login cannot be read');
      return undefined;
    }
  }

  return {
    from: 'file',
    start(to) {
      report = to;
      watch.onChange(() => void reportNow());
      void reportNow();
    },
    stop: () => watch.close(),
  };
}
