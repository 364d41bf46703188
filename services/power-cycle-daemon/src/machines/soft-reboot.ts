/** Asks a machine to reboot before its power is cut: through its agent, or else over ssh. */

import { errorText, withDeadline } from '@skolo/base';
import { readCredentials } from '@skolo/base/secrets';
import { type HostKeys, openExec } from '@skolo/equipment/transports';
import type { Machine, Rack } from '@skolo/rack';
import type { Agent } from './agent.ts';

interface SoftRebootDeps {
  agent: Agent | undefined;
  hostKeys: HostKeys;
  /** For the agent; for ssh, from connecting to the answer. */
  timeoutMs: number;
}

/** `accepted`: it agreed, or its answer is missing, as happens when a machine goes down immediately. */
interface SoftReboot {
  accepted: boolean;
  text: string;
}

/** Without `-f`: a machine that can still shut down properly keeps its SD card intact. */
const command = 'sudo -n systemctl reboot || sudo -n /sbin/reboot';

export async function softReboot(
  rack: Rack,
  machine: Machine,
  why: string,
  deps: SoftRebootDeps,
  signal: AbortSignal,
): Promise<SoftReboot> {
  const rejections: string[] = [];
  const rejected = await deps.agent?.reboot(why, deps.timeoutMs, signal);
  if (deps.agent !== undefined) {
    if (rejected === undefined) return { accepted: true, text: 'reboot requested from its agent' };
    rejections.push(rejected.why);
  }
  if (machine.login === undefined)
    rejections.push('rack.yaml does not specify an SSH login for the machine');
  else {
    const answer = await overSsh(rack, machine, deps, signal);
    if (answer.accepted) return answer;
    rejections.push(answer.text);
  }
  // A machine that may be shutting down keeps its power until it had time to do so.
  if (rejected?.maybe)
    return { accepted: true, text: `the machine may be rebooting: ${rejections.join('; ')}` };
  return { accepted: false, text: `soft reboot failed: ${rejections.join('; ')}` };
}

async function overSsh(
  rack: Rack,
  { name, address, ports, login }: Machine,
  { hostKeys, timeoutMs }: SoftRebootDeps,
  signal: AbortSignal,
): Promise<SoftReboot> {
  if (address === undefined) return { accepted: false, text: 'no address for SSH' };
  const accepted = { accepted: true, text: 'reboot requested over SSH' };
  try {
    const credentials = await readCredentials(rack, login);
    const target = { name, address, port: ports.ssh ?? 22, credentials };
    const late = () => new Error(`no response within ${timeoutMs / 1000} s`);
    const session = await withDeadline({ ms: timeoutMs, late, signal }, (limit) =>
      openExec(target, { hostKeys }, limit),
    );
    try {
      const { status, stderr } = await session.exec(command, { signal, timeoutMs });
      if (status === 0 || status === undefined) return accepted;
      return {
        accepted: false,
        text: `reboot over SSH: exit status ${status}, ${firstLine(stderr)}`,
      };
    } catch {
      signal.throwIfAborted();
      // The command was sent, and the connection broke or fell silent, as in a reboot.
      return accepted;
    } finally {
      await session.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    return { accepted: false, text: errorText(error) };
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.slice(0, 200) || 'without a reason';
}
