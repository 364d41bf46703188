/** A jumphost that a spare has replaced has the same name, address and ssh host keys. */
import { machineOf, newRackKey, signStatement } from '@skolo/rack/jumphost';
import { type Jumphost as Computer, lacks, startJumphost } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { K3sRack } from '../racks/clusters.ts';
import { rack4 } from '../testing/rack4.ts';
import { openJumphost } from './open-jumphost.ts';
import { openRack } from './open-rack.ts';

const { signal } = new AbortController();
const own = machineOf('of-this-one');

describe.skipIf(lacks('ssh', 'sshd'))('the jumphost that a workstation reaches', () => {
  let computer: Computer | undefined;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    computer = await startJumphost();
    env = { ...process.env, PATH: `${computer?.bin}:${process.env.PATH}` };
  });
  afterAll(() => computer?.close());

  /** @param statement in its file; undefined: there is none */
  async function has(statement: unknown) {
    const text = statement === undefined ? 'exit 1' : `echo '${JSON.stringify(statement)}'`;
    await computer?.program(
      'cat',
      `case "$1" in */machine-id) echo of-this-one ;; */statement.json) ${text} ;; *) exec /bin/cat "$@" ;; esac`,
    );
  }

  const signed = (epoch: number, machine = own, rack = 'rack4') =>
    signStatement({ rack, epoch, machine }, newRackKey());

  async function open(changes: Partial<K3sRack>): Promise<string> {
    const options = { env, mayAsk: false, signal };
    try {
      await (await openJumphost({ ...rack4, ...changes }, options)).close();
      return 'opened';
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  }

  it.each([
    ['that was never replaced', undefined, undefined],
    ['of the last replacement', signed(200), 200],
    ['of a replacement that this clone does not know yet', signed(300), 200],
  ])('is the one %s', async (_, statement, epoch) => {
    await has(statement);

    expect(await open(epoch === undefined ? {} : { epoch })).toBe('opened');
  });

  it.each([
    ['without a statement', undefined, 'no epoch of its own'],
    ['with an older one', signed(100), 'epoch 100'],
    ['with that of another computer', signed(200, machineOf('other')), 'no epoch of its own'],
    ['with a damaged one', { epoch: 'x' }, 'no epoch of its own'],
  ])('is rejected where it is retired: %s', async (_, statement, what) => {
    await has(statement);
    const message = `rack4: jumphost-rack4 is a retired jumphost: the computer has ${what}, but the current jumphost has epoch 200; turn off the retired jumphost and try again`;

    expect(await open({ epoch: 200 })).toBe(message);
    await expect(
      openRack({ ...rack4, epoch: 200 }, { role: 'view', env, mayAsk: false, signal }),
    ).rejects.toThrow(message);
  });

  it.each([
    ['by its name', {}],
    ['with a higher epoch', { epoch: 200 }],
    ['on another way in', { jumphost: 'another' }],
  ])('is rejected where it is that of another rack: %s', async (_, changes) => {
    await has(signed(300, own, 'rack5'));

    expect(await open(changes)).toBe(
      'rack4: jumphost-rack4 is the jumphost of rack5; fix `jumphost` and `ways` of rack4 in kube/clusters/config.json',
    );
  });

  it('needs no epoch on another way in, such as a spare', async () => {
    await has(undefined);

    expect(await open({ epoch: 200, jumphost: 'another' })).toBe('opened');
  });
});
