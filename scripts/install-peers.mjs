import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { peerKinds } from './peers.mjs';

const run = promisify(execFile);

/** A build takes seven minutes on two cores; a longer one is stopped. */
const buildMs = 20 * 60_000;

/**
 * Runs install-peers.sh, and builds what Debian does not package, if CI or SKOLO_TEST_INSTALL=1 is set. Returns why a group of Debian
 * packages or a build failed, by the group or the build's script.
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
  for (const { build, long } of peerKinds) {
    if (build === undefined || (long && !env.SKOLO_LONG)) continue;
    const why = await whyNotBuilt(build);
    if (why !== undefined) failures.set(build, why);
  }
  return failures;
}

/**
 * @param {string} build as in `PeerKind`
 * @returns {Promise<string | undefined>} the last line of its output if it failed
 */
async function whyNotBuilt(build) {
  const [script = '', ...args] = build.split(' ');
  try {
    await run(fileURLToPath(new URL(`../${script}`, import.meta.url)), args, { timeout: buildMs });
    return undefined;
  } catch (error) {
    const { stderr } = /** @type {{ stderr?: string }} */ (error);
    return stderr?.trim().split('\n').at(-1) || 'no result within the time limit';
  }
}

/**
 * Whether a variable is set to something other than a no.
 * @param {NodeJS.ProcessEnv} env
 */
export function isWanted(env) {
  return [env.CI, env.SKOLO_TEST_INSTALL].some((value) => !/^(|0|false|no)$/i.test(value ?? ''));
}
