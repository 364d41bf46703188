import { execFile, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { peer } from '@skolo/simulators';

/** The docker command, and the engine that it connects to. */
export interface DockerAccess {
  /** `unix:///…`, as DOCKER_HOST. */
  host: string;
  /** Its settings: an own, empty folder, so that no proxy, context or credential helper of the user's is in it. */
  configDir: string;
}

/** Runs `docker …`. Answers what it prints, without the last line feed; rejects with what it printed to stderr. */
export type Docker = (args: readonly string[]) => Promise<string>;

/** @example const docker = useDocker(access); await docker(['network', 'ls']) */
export function useDocker(access: DockerAccess): Docker {
  return (args) =>
    new Promise((resolve, reject) => {
      const options = {
        env: environment(access),
        maxBuffer: 64 * 1024 * 1024,
        // Only what hangs takes as long: images are built before the tests, whose limit does not apply then.
        timeout: 3_600_000,
      };
      execFile(client(), args, options, (error, stdout, stderr) => {
        if (!error) return resolve(stdout.trimEnd());
        const why = lastLines(stderr + stdout) || error.message;
        reject(new Error(`docker ${args.join(' ')}: ${why}`));
      });
    });
}

/** Both streams of a container, as far as they are now. */
export async function logsOf(access: DockerAccess, container: string): Promise<string> {
  const child = spawn(client(), ['logs', '--tail', '50', container], {
    env: environment(access),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return `${stdout}${stderr}`;
}

/** Each process that uses an engine asks for it: the engine is opened in another one. */
function client(): string {
  return peer('docker') ?? 'docker';
}

function environment({ host, configDir }: DockerAccess): NodeJS.ProcessEnv {
  const { DOCKER_CONTEXT: _, ...others } = process.env;
  return { ...others, DOCKER_HOST: host, DOCKER_CONFIG: configDir, DOCKER_BUILDKIT: '1' };
}

function lastLines(output: string): string {
  return output.trimEnd().split('\n').slice(-30).join('\n');
}
