/** machine-state as a process, with a rack and a cluster. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, createClient, enrolmentsApi, machineStateApi } from '@skolo/api';
import { tempDir } from '@skolo/base/testing';
import type { ServiceProcess } from '@skolo/common/testing/own-process';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { operatorToken, startService } from '../service-process.ts';
import { accountToken, type FakeCluster, startFakeCluster } from './fake-cluster.ts';
import { type Board, type Image, newCard, type Pi } from './pi.ts';

interface EnrolmentRack {
  dir: string;
  cluster: FakeCluster;
  /** A newly created secret of an image. */
  image(days?: number): Promise<Image>;
  card(board: Board, image: Image): Promise<Pi>;
  client(): Client<typeof enrolmentsApi & typeof machineStateApi>;
  /** More of rack.yaml: lines of `machines`. */
  edit(machines: string): Promise<void>;
  killService(): Promise<void>;
  startService(): Promise<void>;
}

const nowhere = 'http://127.0.0.1:2';

export async function startEnrolmentRack(
  machines: string,
  given: Partial<Pick<FakeCluster, 'url' | 'account'>> = {},
): Promise<EnrolmentRack> {
  const dir = await tempDir();
  const cluster = Object.assign(await startFakeCluster(dir), given);
  if (given.account === undefined) await writeFile(join(dir, 'token'), accountToken);
  const port = await freeTcpPort();
  const token = await operatorToken(dir);
  const edit = async (changed: string) => {
    await writeFile(join(dir, 'new.yaml'), rackYaml(changed, port, cluster));
    await rename(join(dir, 'new.yaml'), join(dir, 'rack.yaml'));
  };
  await edit(machines);
  let service: ServiceProcess;
  let cards = 0;
  const rack: EnrolmentRack = {
    dir,
    cluster,
    edit,
    client: () =>
      createClient({ ...enrolmentsApi, ...machineStateApi }, { baseUrl: service.url, token }),
    async image(days = 1) {
      return await rack.client().newEnrolmentSecret({ body: { days } });
    },
    async card(board, image) {
      cards += 1;
      const root = join(dir, `card-${cards}`);
      await mkdir(root);
      return await newCard(root, board, image);
    },
    killService: async () => void (await service.end('SIGKILL')),
    async startService() {
      service = await startService('machine-state', [
        ...['--rack', join(dir, 'rack.yaml'), '--state-dir', join(dir, 'state')],
      ]);
    },
  };
  await rack.startService();
  return rack;
}

function rackYaml(machines: string, port: number, { url, account }: FakeCluster): string {
  const others = ['metadata-server', 'power-cycle-daemon', 'router-backup', 'alert-to-pubsub'];
  return `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.8 }
access: { tokens: { file: tokens.yaml } }
machines:
${machines}
services:
  machine-state:
    alertmanager: none
    enrolment: { port: ${port}, apiServer: "${url}", serviceAccount: ${account} }
${others.map((name) => `  ${name}: { url: "${nowhere}", metricsUrl: "${nowhere}" }\n`).join('')}`;
}
