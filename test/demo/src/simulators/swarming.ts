/** Swarming: it distributes its own small bot, and tasks. They are in memory, and end with the demo. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '@skolo/base/durable';
import { type Rack, serviceUrl } from '@skolo/rack';
import { startSwarming } from '@skolo/simulators';
import { hasMachine } from '../addresses/placement.ts';
import { choosePort } from '../addresses/ports.ts';
import { type AgentComputer, agentMachine } from '../agent-computer.ts';
import { root } from '../folder/folders.ts';
import { startControlServer } from './control-server.ts';
import type { Simulator, SimulatorNeeds } from './simulator.ts';

const usualPort = 8090;
const controlPort = 8091;
const hooks = join(root, 'services', 'swarming-client', 'python', 'skolo_bot_config.py');
const settings = ['machines', agentMachine, 'swarming'] as const;
/** Long enough to see it run. */
const task = `import os, time
print('hello from a task on', os.environ.get('SWARMING_BOT_ID'), flush=True)
time.sleep(2)
print('done')`;

export async function startSwarmingServer(
  computer: AgentComputer,
  { host }: SimulatorNeeds,
): Promise<Simulator> {
  const hookScript = await readFile(hooks, 'utf8');
  const start = (port: number) =>
    startSwarming({
      host,
      port,
      hookScript,
      // From the metadata server: requests without one are rejected.
      accepts: (token) => token !== undefined,
      sleeps: { idle: 1, quarantined: 2, maintenance: 1 },
      times: { mostBackoff: 5 },
    });
  const swarming = await start(await choosePort([usualPort], host)).catch(() => start(0));
  const add = () => swarming.addTask({ python: task });
  const control = await startControlServer(host, controlPort, {
    'POST /task': () => `task ${add()} waits for a bot`,
    'GET /tasks': () =>
      swarming.tasks
        .map(({ id, state, bot = '', output }) =>
          [id, state, bot, output.trim().replaceAll('\n', ' | ')].join('  '),
        )
        .join('\n'),
  });
  add();

  return {
    name: 'Swarming',
    url: swarming.url,
    suggestions: [
      {
        text: `Give ${agentMachine} another task, and see what became of all of them:`,
        commands: [`curl -X POST ${control.url}/task`, `curl ${control.url}/tasks`],
      },
    ],
    place(rack, dir) {
      if (!hasMachine(rack, agentMachine)) return;
      if (isOurs(rack.get([...settings, 'server']), host)) {
        rack.set([...settings, 'server'], swarming.url);
      }
      rack.set([...settings, 'botDir'], join(dir, 'state', 'swarming-bot'));
      rack.set([...settings, 'quarantineFile'], join(dir, 'force_quarantine'));
    },
    async follow(rack, dir) {
      const file = join(dir, 'state', 'oauth2_access_token_config.json');
      await writeOauthConfig(rack, file);
      computer.set('SKOLO_OAUTH_CONFIG', file);
    },
    async close() {
      await control.close();
      await swarming.close();
    },
  };
}

/** Where the bot's hooks look for its token; on a real machine it is below /etc. */
async function writeOauthConfig(rack: Rack, file: string): Promise<void> {
  const account = 'computeMetadata/v1/instance/service-accounts/default';
  const url = `${serviceUrl(rack, 'metadata-server')}/${account}/token`;
  await makeFolder(dirname(file));
  await writeFile(file, JSON.stringify({ url, headers: { 'Metadata-Flavor': 'Google' } }));
}

/** A real server in rack.yaml is left unchanged. */
function isOurs(found: unknown, host: string): boolean {
  const ours = [`http://${host}:`, 'http://127.0.0.1:'];
  return (
    found === undefined || (typeof found === 'string' && ours.some((url) => found.startsWith(url)))
  );
}
