/** A neighbour has taken the address of a machine, and asks in its name. */
import { newAgentKey } from '@skolo/base/secrets';
import { describe, expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from '../testing/daemon.ts';
import { type MachineRequest, sendAsMachine } from '../testing/machine-request.ts';

const yaml = `
equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
machines:
  a: { kind: rpi, address: 127.0.1.1, power: switch-1/1, devices: [{ name: left, kind: android, power: switch-1/3 }] }
  b: { kind: rpi, address: 127.0.1.2, power: switch-1/2 }
`;
const [keyOfA, keyOfB] = [newAgentKey(), newAgentKey()];
const path = '/v1/own-devices/power-cycles';
const body = { devices: ['left'], reason: 'adb is gone' };

function asked({ url }: TestDaemon, more: Partial<MachineRequest> = {}): MachineRequest {
  return { url, from: '127.0.1.1', path, body, ...more };
}

async function cycles({ client }: TestDaemon) {
  return (await client.cycles()).cycles.map(({ target, by }) => `${target} by ${by}`);
}

describe('a machine', () => {
  it('has its own phone cycled with the key of its agent, which is remembered', async () => {
    const daemon = await startDaemon({ yaml });

    expect(await sendAsMachine(asked(daemon, { key: keyOfA }))).toMatchObject({ status: 202 });

    expect(await cycles(daemon)).toEqual(['a-left by a']);
    const { hostKeys } = await daemon.client.hostKeys();
    expect(hostKeys).toMatchObject([{ equipment: 'agent of a' }]);
  });
});

describe('a neighbour at the address of a machine', () => {
  it('is rejected with a key of its own, until an operator forgets that of the machine', async () => {
    const daemon = await startDaemon({ yaml });
    await sendAsMachine(asked(daemon, { key: keyOfA, path: '/v1/own-holds', body: undefined }));

    const spoofed = await sendAsMachine(asked(daemon, { key: keyOfB }));
    await daemon.client.forgetHostKey({ params: { equipment: 'a' } });
    const replaced = await sendAsMachine(asked(daemon, { key: keyOfB }));

    expect(spoofed).toMatchObject({
      status: 403,
      body: {
        detail:
          'the agent on a used a different key before, so another computer may be using its address; if its SD card was replaced, run: skolo equipment forget a',
      },
    });
    expect(replaced.status).toBe(202);
  });

  it('cannot use what the machine has signed, a second time or for another', async () => {
    const daemon = await startDaemon({ yaml });
    const signedForB = asked(daemon, { key: keyOfB, machine: 'b' });

    expect(await sendAsMachine(signedForB)).toMatchObject({ status: 401 });
    expect(await sendAsMachine(asked(daemon, { key: keyOfB, from: '127.0.0.1' }))).toMatchObject({
      status: 403,
      body: {
        detail: expect.stringContaining('127.0.0.1 is not the address of a machine in rack.yaml'),
      },
    });
    expect(await cycles(daemon)).toEqual([]);
  });
});

it('is not cycled for its agent while that does not respond: it may run a task', async () => {
  // Nobody listens at the port of its agent.
  const daemon = await startDaemon({
    yaml: yaml.replace(
      'kind: rpi, address: 127.0.1.1',
      'kind: rpi, swarming: { url: "http://127.0.1.1:9" }, address: 127.0.1.1',
    ),
  });

  await sendAsMachine(asked(daemon, { key: keyOfA }));

  await expect
    .poll(async () => (await daemon.client.cycles()).cycles.map(({ outcome }) => outcome))
    .toEqual(['busy']);
});
