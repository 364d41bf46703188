import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentPublicKey, newAgentKey, type Secret } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { HostKeys } from '@skolo/equipment/transports';
import { readRack } from '@skolo/rack';
import { makeSshKey } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { Boards } from '../testing/board-driver.ts';
import { rackYaml, testAgentKey } from '../testing/daemon.ts';
import { type PluggedMachine, plugIn } from '../testing/machine.ts';
import { agentOf } from './agent.ts';
import { softReboot } from './soft-reboot.ts';

const logins = `logins:
  machines: { username: chrome-bot, privateKey: key }
`;

/** Asks a machine that has no agent or no login, or with which something else is wrong, or without the key for agents. */
async function asked(
  options: {
    agentPort?: false;
    hasLogin?: boolean;
    hasAgentKey?: boolean;
    accepts?: Secret;
    authorizedKeys?: [];
    isRelayed?: true;
    begin?: (machine: PluggedMachine) => unknown;
  } = {},
) {
  const { hasLogin = true, hasAgentKey = true, accepts = testAgentKey, begin, ...own } = options;
  const key = makeSshKey();
  const machine: PluggedMachine = await plugIn(new Boards(), 'm', [], {
    host: '127.0.1.1',
    authorizedKeys: [key.public],
    agentKey: agentPublicKey(accepts),
    ...own,
  });
  const dir = await tempDir();
  await writeFile(join(dir, 'key'), key.private, { mode: 0o600 });
  if (hasAgentKey) await writeFile(join(dir, 'agent-key'), testAgentKey.reveal(), { mode: 0o600 });
  const entry = machine.entry.replace(
    'kind: rpi',
    `kind: rpi, ports: { ssh: ${machine.sshPort} }${hasLogin ? ', login: machines' : ''}`,
  );
  const file = join(dir, 'rack.yaml');
  await writeFile(file, rackYaml(`${logins}machines:\n  m: ${entry}\n`));
  const rack = await readRack(file);
  const found = rack.machines.get('m');
  if (found === undefined) throw new RangeError('m');
  await begin?.(machine);
  const agent = own.agentPort === false ? undefined : agentOf(rack, found);
  const answer = await softReboot(
    rack,
    found,
    'dead',
    {
      agent,
      hostKeys: new HostKeys(join(dir, 'host-keys.json')),
      // What is silent is given up after that; a computer that stalls responds before.
      timeoutMs: 15_000,
    },
    new AbortController().signal,
  );
  return { answer, machine };
}

const silentAgent: Parameters<typeof asked>[0] = {
  isRelayed: true,
  begin: ({ relays }) => relays?.agent.inject({ effect: 'silence' }),
};
const dead = (machine: PluggedMachine) => machine.misbehave('dead');
const sudo = (stderr: string) => (machine: PluggedMachine) =>
  machine.programs.set('sudo', () => ({ stderr, status: 1 }));

describe('a machine is asked to reboot itself', () => {
  it.each<[string, Parameters<typeof asked>[0], string]>([
    ['by its agent', {}, 'from its agent'],
    ['over ssh where it has no agent', { agentPort: false }, 'over SSH'],
    ['over ssh where its agent rejects', { accepts: newAgentKey() }, 'over SSH'],
    ['over ssh where nothing can be signed for its agent', { hasAgentKey: false }, 'over SSH'],
    ['over ssh where its agent is silent', silentAgent, 'over SSH'],
  ])('%s', async (_how, options, way) => {
    const { answer, machine } = await asked(options);

    expect(answer).toEqual({ accepted: true, text: `reboot requested ${way}` });
    await machine.whenBooted(2);
  });

  it('and may be about to, where only the answer of its agent is missing', async () => {
    const { answer } = await asked({ authorizedKeys: [], ...silentAgent });

    expect(answer.accepted).toBe(true);
    expect(answer.text).toMatch(
      /^the machine may be rebooting: the agent did not respond: .*no response within 15 s; /,
    );
  });

  it('where the command that was sent has no end', async () => {
    const { answer } = await asked({
      agentPort: false,
      begin: ({ programs }) => programs.set('sudo', () => new Promise(() => {})),
    });

    expect(answer).toEqual({ accepted: true, text: 'reboot requested over SSH' });
  });

  it.each([
    [
      'sudo wants a password',
      { begin: sudo('sudo: a password is required\n') },
      /^soft reboot failed: reboot over SSH: exit status \d+, .*sudo/,
    ],
    ['nobody may sign in', { authorizedKeys: [] }, /^soft reboot failed: m: /],
    ['nobody listens', { begin: dead }, /^soft reboot failed: m: /],
  ] satisfies [string, Parameters<typeof asked>[0], RegExp][])(
    'in vain where %s',
    async (_name, options, text) => {
      const { answer } = await asked({ agentPort: false, ...options });

      expect(answer).toEqual({ accepted: false, text: expect.stringMatching(text) });
    },
  );

  it('in vain where its agent’s port is closed, and it has no login', async () => {
    const { answer } = await asked({ begin: dead, hasLogin: false });

    expect(answer.accepted).toBe(false);
    expect(answer.text).toMatch(
      /^soft reboot failed: the agent did not respond: .*ECONNREFUSED.*; rack.yaml does not specify an SSH login for the machine$/,
    );
  });
});
