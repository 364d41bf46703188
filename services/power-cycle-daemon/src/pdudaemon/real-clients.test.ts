/** The programs that labs have, unchanged, from their command to the outlet of a simulated PDU. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { run } from '@skolo/base/testing';
import { loadDrivers } from '@skolo/equipment/models/load';
import { type OutletChange, peer, startTasmota } from '@skolo/simulators';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';

const labgrid = peer('labgrid');
const noLabgrid = 'labgrid is not installed (Debian: python3-labgrid)';
const curl = peer('curl');

async function startLab() {
  const pdu = await startTasmota({ outlets: 8 });
  onTestFinished(() => pdu.close());
  const changes: OutletChange[] = [];
  pdu.board.on('change', (change) => changes.push(change));
  const port = await freeTcpPort();
  const daemon = await startDaemon({
    drivers: await loadDrivers(),
    yaml: `
infrastructure:
  pdu-1: { model: tasmota, address: 127.0.0.1, ports: { http: ${pdu.port} }, outlets: 8 }
machines:
  board-[1-8]: { kind: host, power: pdu-1/[1-8] }
`,
    settings: `    endpoints: { pdudaemon: { port: ${port}, host: 127.0.0.1, allow: [127.0.0.0/8] } }`,
  });
  return { ...daemon, pdu, changes, port };
}

type Lab = Awaited<ReturnType<typeof startLab>>;

describe('labgrid', () => {
  async function target({ dir, port }: Lab, index: number, ...commands: string[]): Promise<string> {
    const environment = join(dir, 'environment.yaml');
    const text = `targets:
  main:
    resources:
      PDUDaemonPort: { host: '127.0.0.1:${port}', pdu: pdu-1, index: ${index} }
    drivers:
      PDUDaemonDriver: { delay: 1.0 }
`;
    await writeFile(environment, text);
    const source = `
import sys
from labgrid import Environment
power = Environment(sys.argv[1]).get_target("main").get_driver("PowerProtocol")
for command in sys.argv[2:]:
    getattr(power, command)()
    print(command)`;
    const { stdout } = await run(labgrid ?? '', ['-c', source, environment, ...commands], {
      timeout: 120_000,
    });
    return stdout;
  }

  it('turns an outlet off, on, and off and on again when cycle or reset returns', async (context) => {
    if (!labgrid) return context.skip(noLabgrid);
    const lab = await startLab();

    const told = await target(lab, 4, 'off', 'on', 'cycle', 'reset');
    const { cycles } = await lab.client.cycles({ query: {} });

    expect(told).toBe('off\non\ncycle\nreset\n');
    const [off, on] = [false, true].map((each) => ({ outlet: '4', on: each }));
    expect(lab.changes).toEqual([off, on, off, on, off, on]);
    const cycle = { target: 'board-4', outcome: 'on', offSeconds: 1 };
    expect(cycles.slice(0, 2)).toMatchObject([cycle, cycle]);
  });

  it('fails when the outlet does not obey', async (context) => {
    if (!labgrid) return context.skip(noLabgrid);
    const lab = await startLab();
    lab.pdu.faults.set('ignores-commands');

    await expect(target(lab, 4, 'off')).rejects.toThrow(
      /HTTPError: 500 Server Error: failed at turn-off: the outlet is not reported as off: pdu-1\/4 is still on for url/,
    );
  });

  // The sample has the answer in protocols.test.ts.
  it.runIf(isLong)('fails for an outlet that is not there', async (context) => {
    if (!labgrid) return context.skip(noLabgrid);
    const lab = await startLab();

    await expect(target(lab, 9, 'cycle')).rejects.toThrow(
      /HTTPError: 500 Server Error: pdu-1\/9: pdu-1 does not have a switchable outlet with this name; .* for url/,
    );
    expect(lab.changes).toEqual([]);
  });
});

describe('curl, as in the device dictionaries of LAVA', () => {
  async function call({ port }: Lab, query: string): Promise<string> {
    const url = `http://127.0.0.1:${port}/power/control/${query}`;
    const { stdout } = await run(curl ?? '', ['--fail-with-body', '-sS', url], {
      timeout: 120_000,
    });
    return stdout;
  }

  it('hard_reset_command, power_off_command, power_on_command', async (context) => {
    if (!curl) return context.skip('curl is not installed');
    const lab = await startLab();

    const answers = [
      await call(lab, 'reboot?hostname=pdu-1&port=05&delay=1'),
      await call(lab, 'off?hostname=pdu-1&port=05'),
      await call(lab, 'on?hostname=pdu-1&port=05'),
    ];

    expect(answers).toEqual(Array.from({ length: 3 }, () => 'OK - accepted request\n'));
    expect(lab.changes.map(({ on }) => on)).toEqual([false, true, false, true]);
  });

  it('a device that was off since the last job is on after a reset', async (context) => {
    if (!curl) return context.skip('curl is not installed');
    const lab = await startLab();
    await call(lab, 'off?hostname=pdu-1&port=5');

    const answer = await call(lab, 'reboot?hostname=pdu-1&port=5&delay=1');

    expect(answer).toBe('OK - accepted request\n');
    expect(lab.pdu.board.isOn('5')).toBe(true);
  });

  it('ends with 22 and the reason where it fails', async (context) => {
    if (!curl) return context.skip('curl is not installed');
    const lab = await startLab();
    lab.pdu.faults.set('down');

    await expect(call(lab, 'off?hostname=pdu-1&port=5')).rejects.toMatchObject({
      code: 22,
      stdout: expect.stringMatching(/^failed at contact: pdu-1: /),
    });
  });
});
