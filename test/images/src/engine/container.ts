import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Docker, type DockerAccess, logsOf, useDocker } from './docker.ts';

const State = z.object({
  Status: z.string(),
  ExitCode: z.int(),
  OOMKilled: z.boolean(),
  StartedAt: z.string(),
  FinishedAt: z.string(),
});

const Networks = z.record(z.string(), z.object({ IPAddress: z.string() }));

/**
 * Starts one in the background.
 *
 * @param args of `docker run`
 */
export async function startContainer(
  access: DockerAccess,
  image: string,
  args: readonly string[],
  command: readonly string[] = [],
) {
  const docker = useDocker(access);
  const name = `skolo-test-${randomUUID().slice(0, 8)}`;
  await docker(['run', '--detach', '--name', name, ...args, image, ...command]);
  const inspect = async (what: string): Promise<unknown> =>
    JSON.parse(await docker(['inspect', '--format', `{{json ${what}}}`, name]));
  const networks = Networks.parse(await inspect('.NetworkSettings.Networks'));
  const state = async () => State.parse(await inspect('.State'));
  return {
    name,
    /** In the network that it was started in. */
    address: Object.values(networks)[0]?.IPAddress ?? '',
    state,
    /** What it has logged so far. */
    logs: () => logsOf(access, name),
    /** SIGTERM, and SIGKILL after so many seconds; the state after that. */
    async stop(seconds: number) {
      await docker(['stop', '--time', `${seconds}`, name]);
      return state();
    },
    remove: () => removeContainer(docker, name),
  };
}

/** A container of a test; see `startContainer`. */
export type Container = Awaited<ReturnType<typeof startContainer>>;

async function removeContainer(docker: Docker, name: string): Promise<void> {
  await docker(['rm', '--force', '--volumes', name]);
}
