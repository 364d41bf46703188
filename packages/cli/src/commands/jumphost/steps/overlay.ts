/** A rack's overlay as a step of its jumphost: pushed as `skolo push` does it. */
import { closing, count } from '@skolo/base';
import {
  authorOf,
  type PreparedPush,
  type PushDeps,
  preparePush,
  sendCommits,
  titleOf,
} from '@skolo/fleet/push';
import type { Part } from '@skolo/setup/jumphost';
import type { SkoloCommand } from '../../../command.ts';
import { CliError } from '../../../errors.ts';
import { needsNumber } from '../../push/agreement.ts';
import { openPush, ownRecords, rejectUnfinished } from '../../push/open-push.ts';
import { requestOf } from '../../push/push.ts';

/** For a new rack: nothing runs on it that must be watched for long. */
const usualSoakMs = 10_000;

export function overlayOf(
  command: SkoloCommand,
  rack: string,
  {
    reason,
    version,
    soakMs = usualSoakMs,
    signal,
    report,
  }: {
    reason: string;
    /** Version of all services; absent: as in git. */
    version?: string;
    soakMs?: number;
    signal: AbortSignal;
    report(text: string): void;
  },
): Part {
  const { io } = command;

  async function open(): Promise<PushDeps> {
    const { deps } = await openPush(command, signal, { report: (_, text) => report(text) });
    return deps;
  }

  function request(by: string) {
    const options = { canary: 1, soak: soakMs, onFailure: 'stop' as const };
    const asked = { services: [], ...(version !== undefined && { version }) };
    return requestOf(asked, [rack], { ...options, reason }, by, io.now());
  }

  return {
    async differs() {
      const push = await preparePush(request('nobody'), await open(), { isDry: true });
      await push.close();
      return push.racks.flatMap(({ preparation, problem }) => {
        if (problem) throw problem;
        const { objects = [], deletions = [] } = preparation?.plan ?? {};
        return [
          ...objects.flatMap(({ action, wanted }) =>
            action === 'keep' ? [] : [`${titleOf(wanted)}: ${action}`],
          ),
          ...deletions.map((object) => `${titleOf(object)}: delete`),
        ];
      });
    },
    async apply() {
      await rejectUnfinished(ownRecords(io), [rack]);
      const deps = await open();
      const by = await authorOf(deps.repository, signal);
      await using push = closing(await preparePush(request(by), deps));
      for (const { problem } of push.racks) if (problem) throw problem;
      rejectDeletions(push);
      for (const { state, why } of await push.run()) {
        if (state !== 'done') throw new CliError(`${rack}: ${state}: ${why ?? 'no reason given'}`);
      }
      signal.throwIfAborted();
      await sendCommits(deps.repository, signal);
    },
  };
}

/** @throws CliError They require a person's consent. */
function rejectDeletions({ racks }: PreparedPush): void {
  for (const { name, preparation } of racks) {
    if (preparation === undefined || !needsNumber([{ name, ...preparation.plan }])) continue;
    const { length } = preparation.plan.deletions;
    const how = `to confirm, run skolo push --racks ${name} --deletions ${length} --reason WHY`;
    throw new CliError(`${name}: ${count(length, 'object')} would be deleted; ${how}`);
  }
}
