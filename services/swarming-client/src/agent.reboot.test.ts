import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, swarmingClientApi } from '@skolo/api';
import { tempDir } from '@skolo/base/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startAgentHere } from './testing/agent-here.ts';
import { signerFor, startMetadata } from './testing/metadata.ts';

const machine = 'rpi-1';

/** No systemd, and a kernel that cannot be told. */
async function stubbornMachine(dir: string): Promise<string> {
  await mkdir(join(dir, '1'), { recursive: true });
  await mkdir(join(dir, 'sysrq-trigger'));
  await writeFile(join(dir, '1/comm'), 'init\n');
  return dir;
}

it('reports that the machine does not reboot: its bot must not be gone for ever', async () => {
  const dir = await tempDir();
  const metadata = await startMetadata(machine);
  onTestFinished(() => metadata.close());
  metadata.setRack(`
rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.1 }
machines: { ${machine}: { kind: host, address: 127.0.1.1 } }
services:
  power-cycle-daemon: { url: "http://127.0.0.1:9" }
  swarming-client: { server: "http://127.0.0.1:9", botDir: ${join(dir, 'b/s')}, python: python3 }
`);
  const onNotRebooted = vi.fn();
  const agent = await startAgentHere({
    metadataUrl: metadata.url,
    stateDir: join(dir, 'state'),
    proc: await stubbornMachine(join(dir, 'proc')),
    onNotRebooted,
  });
  onTestFinished(() => agent.stop({ isHurried: true }));
  const client = createClient(swarmingClientApi, {
    baseUrl: `http://127.0.0.1:${agent.port}`,
    signer: signerFor(machine),
  });
  await expect
    .poll(() =>
      client.reboot({ body: { why: 'to see' } }).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);

  await expect.poll(() => onNotRebooted.mock.calls.length).toBe(1);
});
