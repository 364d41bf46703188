import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { agentMachine } from '../agent-computer.ts';

const run = promisify(execFile);
const withinMs = 60_000;

/** Whether `python3` can run the bot; undefined: it can, otherwise a sentence for people. */
export async function pythonTrouble(): Promise<string | undefined> {
  const install = 'install it (Debian: apt install python3)';
  const found = await outputOf('python3', [
    '-c',
    // Debian's python3-minimal is without most modules.
    'import json, ssl, sys; print("%d.%d" % sys.version_info[:2])',
  ]);
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(found ?? '') ?? [];
  if (major === undefined) {
    return `The agent of a machine is not started: python3 is missing; ${install}.`;
  }
  if (Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 8)) return undefined;
  return `The agent of a machine is not started: python3 is ${found}, and it takes 3.8 or later.`;
}

/** Whether adb is available; undefined: it is, otherwise a sentence for people. */
export async function adbTrouble(): Promise<string | undefined> {
  if ((await outputOf('adb', ['version'])) !== undefined) return undefined;
  return `adb is missing, so ${agentMachine} has no phone. Install it (Debian: apt install adb), and start the demo again.`;
}

async function outputOf(program: string, args: string[]): Promise<string | undefined> {
  try {
    return (await run(program, args, { timeout: withinMs })).stdout.trim();
  } catch {
    return undefined;
  }
}
