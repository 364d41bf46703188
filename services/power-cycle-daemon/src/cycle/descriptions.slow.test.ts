/** Described PDUs over SNMP, whose descriptions are right or wrong in ways that no reading shows, and machines that do show it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadDrivers } from '@skolo/equipment/models/load';
import { startSimulatedMachine, startTablePdu } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';
import { startDaemonProcess } from '../testing/daemon-process.ts';
import { waitUntil } from '../testing/wait-until.ts';

const tree = '1.3.6.1.4.1.9999';
/** What the PDU does. Value 3 toggles. */
const table = {
  on: { object: `${tree}.4.{outlet}`, value: 1 },
  off: { object: `${tree}.4.{outlet}`, value: 2 },
  read: { object: `${tree}.2.{outlet}`, on: [7], off: [8] },
  toggle: 3,
  setting: `${tree}.3.{outlet}`,
};

interface Words {
  set?: string;
  read?: string;
  on?: number;
  off?: number;
  states?: string;
}

/** A description of it in rack.yaml. */
function described(words: Words = {}): string {
  const {
    set = '{outlet}',
    read = '{outlet}',
    on = 1,
    off = 2,
    states = 'on: [7], off: [8]',
  } = words;
  return `on: { object: '${tree}.4.${set}', value: ${on} }, off: { object: '${tree}.4.${set}', value: ${off} }, read: { object: '${tree}.2.${read}', ${states} }`;
}

const inverted = described({ on: 2, off: 1, states: 'on: [8], off: [7]' });

/** Two machines `pi-1` and `pi-2` that respond, and `box` without an address, on outlets 1 to 3 of a PDU. */
async function startLab(description: string, offSeconds = 1) {
  const pdu = await startTablePdu({ table, outlets: ['1', '2', '3', '4'] });
  onTestFinished(() => pdu.close());
  const entries: string[] = [];
  for (const outlet of ['1', '2']) {
    const machine = await startSimulatedMachine({
      name: `pi-${outlet}`,
      username: 'chrome-bot',
      host: `127.0.1.${outlet}`,
      feeds: [[pdu.board, outlet]],
      bootSeconds: 0.1,
    });
    onTestFinished(() => machine.close());
    entries.push(
      `  pi-${outlet}: { kind: rpi, address: ${machine.host}, power: pdu-1/${outlet}, offSeconds: ${offSeconds}, seenBack: { ssh: ${machine.sshPort}, timeoutSeconds: 3 }, swarming: { url: 'http://${machine.host}:9' } }`,
    );
  }
  const yaml = (written: string) => `logins:
  pdus: { snmp: { version: 2c, community: write } }
equipment:
  pdu-1: { model: snmp-switch, address: ${pdu.host}, ports: { snmp: ${pdu.port} }, login: pdus, outlets: 3, ${written} }
machines:
${entries.join('\n')}
  box: { kind: host, power: pdu-1/3, offSeconds: 0.5 }
`;
  const daemon = await startDaemon({
    yaml: yaml(description),
    drivers: await loadDrivers(),
    prepare: async (stateDir) =>
      writeFile(join(stateDir, '..', 'write'), 'private\n', { mode: 0o600 }),
  });
  return {
    pdu,
    daemon,
    yaml: yaml(description),
    edit: (written: string) => daemon.edit(yaml(written)),
  };
}

function sets(pdu: { received: { text: string }[] }): string[] {
  return pdu.received.flatMap(({ text }) =>
    text.startsWith('set') ? [text.replace(`set ${tree}.`, '')] : [],
  );
}

describe('a description', () => {
  it('is unproven until a machine has confirmed it by its silence and return', async () => {
    const { pdu, daemon } = await startLab(described());

    const unseen = await daemon.finished(await daemon.request('box'));
    const first = await daemon.finished(await daemon.request('pi-1'));
    const second = await daemon.finished(await daemon.request('box'));

    expect([unseen.outcome, first.outcome, second.outcome]).toEqual(['unproven', 'back', 'on']);
    expect(unseen.detail).toMatch(
      /the description of pdu-1 is still unproven, because nothing showed/,
    );
    // On is sent twice while it may toggle.
    expect(sets(pdu)).toEqual([
      '4.3=2',
      '4.3=1',
      '4.3=1',
      '4.1=2',
      '4.1=1',
      '4.1=1',
      '4.3=2',
      '4.3=1',
    ]);
  });

  it('is tried by one machine at a time', async () => {
    const { pdu, daemon } = await startLab(described());
    const order: string[] = [];
    pdu.board.on('change', ({ outlet, on }) => void order.push(`${outlet} ${on ? 'on' : 'off'}`));

    const cycles = await daemon.cycle('pi-[1-2]');

    expect(cycles.map(({ outcome }) => outcome)).toEqual(['back', 'back']);
    expect(order).toEqual(['1 off', '1 on', '2 off', '2 on']);
  });

  it('that has on and off inverted, in what it sets and reads, is found, and its machine gets its power back', async () => {
    const { pdu, daemon, edit } = await startLab(inverted);

    const [first, second] = await daemon.cycle('pi-[1-2]');
    const told = sets(pdu);
    const again = await daemon.request('pi-2').catch((error: Error) => error.message);
    const off = await daemon.turn('off', 'box').catch((error: Error) => error.message);
    const { controllers } = await daemon.client.controllers();

    expect(first).toMatchObject({ target: 'pi-1', outcome: 'inverted' });
    expect(second).toMatchObject({ target: 'pi-2', outcome: 'failed' });
    expect(second?.detail).toContain('on and off are inverted in the description of pdu-1');
    for (const message of [again, off]) expect(message).toContain('fix the description');
    expect(controllers[0]).toMatchObject({ state: 'failing' });
    expect(pdu.board.names().filter((outlet) => !pdu.board.isOn(outlet))).toEqual([]);
    expect(told).toEqual(['4.1=1', '4.1=2', '4.1=2', '4.1=1']);
    expect(sets(pdu)).toEqual(told);

    await edit(described());
    const right = await daemon.finished(await daemon.request('pi-2'));

    expect(right).toMatchObject({ outcome: 'back' });
  });

  it('that a person has forgotten is tried again', async () => {
    const { daemon } = await startLab(inverted);
    await daemon.finished(await daemon.request('pi-1'));

    const answer = await daemon.client.forgetHostKey({ params: { equipment: 'pdu-1' }, query: {} });
    const again = await daemon.finished(await daemon.request('pi-2'));

    expect(answer).toEqual({ equipment: 'pdu-1', forgotten: true, lifted: true });
    expect(again.outcome).toBe('inverted');
  });

  it('stays rejected after a restart of the daemon', async () => {
    const { pdu, daemon, yaml } = await startLab(inverted);
    await daemon.finished(await daemon.request('pi-1'));
    const told = sets(pdu).length;

    await daemon.stop();
    const next = await startDaemon({ yaml, drivers: await loadDrivers(), previous: daemon });
    const message = await next.request('pi-2').catch((error: Error) => error.message);

    expect(message).toContain('on and off are inverted');
    expect(sets(pdu)).toHaveLength(told);
  });

  it('is found inverted also by a daemon that continues after the first one has turned the outlet off', async () => {
    const { pdu, daemon, yaml } = await startLab(inverted);
    const id = await daemon.request('pi-1');
    await daemon.until(id, ({ step }) => step === 'put-back');

    await daemon.stop();
    const next = await startDaemon({ yaml, drivers: await loadDrivers(), previous: daemon });

    expect(await next.finished(id)).toMatchObject({ outcome: 'inverted' });
    expect(pdu.board.isOn('1')).toBe(true);
  });

  // On a busy computer, the kill takes a while: `off` outlasts it, and the other steps need answers of the PDU, which is in this process.
  it.each([
    ['off', 60],
    ['turn-on', 3],
    ['put-back', 1],
  ])(
    'is found inverted after kill -9 in %s and a silence of the PDU, and its machine gets its power back',
    async (step, offSeconds) => {
      const { pdu, daemon } = await startLab(inverted, offSeconds);
      await daemon.stop();
      const first = await startDaemonProcess(daemon.dir, daemon.token);
      const entered = (phase: string) =>
        new Promise<void>((resolve) => {
          first.onLine((line) => {
            if (line.msg === 'cycle' && line.phase === phase) resolve();
          });
        });
      // Turning on ends within milliseconds, unless the PDU is silent before.
      const silenced = entered(step === 'turn-on' ? 'off' : step).then(() =>
        pdu.faults.set('down'),
      );
      const reached = entered(step);
      const body = { machines: ['pi-1'], reason: 'dead', mode: 'hard' as const };
      const [cycle] = (await first.client.requestCycles({ body })).cycles;
      const params = { id: cycle?.id ?? '' };

      await Promise.all([silenced, reached]);
      await first.end('SIGKILL');
      const next = await startDaemonProcess(daemon.dir, daemon.token);
      await waitUntil(async () => {
        const { steps } = await next.client.cycle({ params });
        return steps.some(({ text }) => text.startsWith('the daemon was restarted')) || undefined;
      });
      pdu.faults.clear();
      const ended = await waitUntil(async () => {
        const now = await next.client.cycle({ params });
        return now.outcome && now;
      });

      expect(first.lines.findLast(({ msg }) => msg === 'cycle')).toMatchObject({ phase: step });
      expect(ended).toMatchObject({ outcome: 'inverted' });
      expect(pdu.board.isOn('1')).toBe(true);
    },
  );

  it('of the neighbour, in what it sets and reads, fails, and names the machine that lost power', async () => {
    const { daemon } = await startLab(described({ set: '{outlet+1}', read: '{outlet+1}' }));

    const cycle = await daemon.finished(await daemon.request('pi-1'));

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'see-back' });
    expect(cycle.detail).toContain('never down');
    expect(cycle.steps.map(({ text }) => text)).toContainEqual(
      'pi-2 became silent when pdu-1/1 was turned off; check whether the description addresses another outlet',
    );
  });

  it('whose on toggles fails, with the power on', async () => {
    const { pdu, daemon } = await startLab(described({ on: 3 }));

    const cycle = await daemon.finished(await daemon.request('pi-1'));

    expect(cycle).toMatchObject({ outcome: 'failed', failedStep: 'turn-on' });
    expect(cycle.detail).toMatch(
      /^turning it on a second time turned it off: .+; fix its description/,
    );
    expect(pdu.board.isOn('1')).toBe(true);
  });

  it('whose on toggles unnoticed, because the PDU reports what was set, leaves no machine without power', async () => {
    const { pdu, daemon } = await startLab(
      described({ on: 3 }).replace(
        /read: .*$/,
        `read: { object: '${tree}.3.{outlet}', on: [1, 3], off: [2], isSetting: true }`,
      ),
    );

    const cycle = await daemon.finished(await daemon.request('pi-1'));

    expect(cycle).toMatchObject({ outcome: 'unproven' });
    expect(cycle.detail).toContain('it starts slowly, or on toggles');
    expect(pdu.board.isOn('1')).toBe(true);
  });
});
