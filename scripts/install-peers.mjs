import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * Runs install-peers.sh where that is wanted: with CI or SKOLO_TEST_INSTALL=1 set. Answers why a group of Debian
 * packages could not be installed, by the group.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<Map<string, string>>}
 */
export async function installPeers(env = process.env) {
  /** @type {Map<string, string>} */
  const failures = new Map();
  if (!isWanted(env)) return failures;
  const script = fileURLToPath(new URL('install-peers.sh', import.meta.url));
  const child = spawn(script, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line);
    const failure = /^not installed: (?<group>[^:]+): (?<why>.*)$/.exec(line)?.groups;
    if (failure?.group) failures.set(failure.group, failure.why ?? '');
  }
  return failures;
}

/**
 * Set means set to something that is not a no.
 * @param {NodeJS.ProcessEnv} env
 */
export function isWanted(env) {
  return [env.CI, env.SKOLO_TEST_INSTALL].some((value) => !/^(|0|false|no)$/i.test(value ?? ''));
}
