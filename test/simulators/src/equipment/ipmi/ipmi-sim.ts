/**
 * A server's management controller: ipmi_sim of OpenIPMI (2.0), which speaks IPMI over LAN (RMCP+, cipher suite 3 and no
 * newer one) and asks us what its chassis does. Independent of ours, so it needs no proof of the protocol.
 *
 * It says yes to a command before the power has really changed, as real ones do: `cycle` is off, and on a second later.
 *
 * Sources: ipmi_lan(5), ipmi_sim_cmd(5).
 */
import { createSocket } from 'node:dgram';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeUdpPort } from '../../free-port.ts';
import { peer } from '../../peer.ts';
import { Process } from '../../process.ts';
import { type CommandCall, startAnsweredCommand } from '../answered-command.ts';
import { Faults, OutletBoard, type Received, type SimulatedDevice } from '../device.ts';

interface IpmiSimOptions {
  /** Default `lab`. */
  username?: string;
  /** Default `s3cret`. */
  password?: string;
  /** Its own key (Kg), at most 19 characters; none when absent. */
  kg?: string;
}

/** Gives undefined where it is not installed. Its one outlet is `chassis`. */
export async function startIpmiSim(
  options: IpmiSimOptions = {},
): Promise<SimulatedDevice | undefined> {
  const path = peer('ipmi_sim');
  if (path === undefined) return undefined;
  const dir = await mkdtemp(join(tmpdir(), 'skolo-ipmi-'));
  const board = new OutletBoard([['chassis', { on: true, watts: 120 }]]);
  const received: Received[] = [];
  let child: Process | undefined;
  const faults = new Faults(['down', 'wedged', 'slow', 'ignores-commands']);
  // Down and wedged are the same from outside, and are those of the process.
  faults.onChange(() => {
    child?.pause(faults.has('down') || faults.has('wedged'));
  });
  const answered = await startAnsweredCommand(dir, (call) =>
    answerChassis(board, faults, received, call),
  );
  const port = await freeUdpPort();
  const configuration = join(dir, 'lan.conf');
  const emulator = join(dir, 'bmc.emu');
  await mkdir(join(dir, 'state'));
  await writeFile(configuration, lanConfiguration(options, answered.command, port));
  await writeFile(emulator, controller);
  async function start() {
    const args = ['-c', configuration, '-f', emulator, '-s', join(dir, 'state'), '-n'];
    child = new Process(path ?? '', args);
    await answering(child, port);
  }
  async function close() {
    await child?.stop();
    await answered.close();
    await rm(dir, { recursive: true, force: true });
  }
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    model: 'ipmi',
    host: '127.0.0.1',
    port,
    board,
    received,
    faults,
    sessions: { now: 0, most: 0, opened: 0 },
    /** Of the controller; the server goes on as it was. */
    async reboot() {
      await child?.stop();
      await start();
    },
    close,
  };
}

const controller = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
`;

function lanConfiguration(
  { username = 'lab', password = 's3cret', kg }: IpmiSimOptions,
  command: string,
  port: number,
): string {
  return `name "server"
set_working_mc 0x20
startlan 1
  addr 127.0.0.1 ${port}
  priv_limit admin
  allowed_auths_admin none md5
  guid a123456789abcdefa123456789abcdef
${kg === undefined ? '' : `  bmc_key "${kg}"\n`}endlan
chassis_control "${command} 0x20"
user 2 true "${username}" "${password}" admin 10 none md5
`;
}

/** Called as `0x20 get power` or `0x20 set power 0 reset 1 …`. */
async function answerChassis(
  board: OutletBoard,
  faults: Faults,
  received: Received[],
  { args: [, verb, ...rest], write }: CommandCall,
): Promise<void> {
  received.push({ at: Date.now(), text: [verb, ...rest].join(' ') });
  if (faults.has('slow')) await sleep(faults.slowMs);
  if (verb === 'get') {
    for (const name of rest) write(`${name}:${board.isOn('chassis') ? 1 : 0}\n`);
  } else if (!faults.has('ignores-commands')) {
    const [name, value] = rest;
    if (name === 'power') board.set('chassis', value === '1');
  }
}

/** Get Channel Authentication Capabilities (IPMI 2.0, 22.13), which everybody may ask. */
const anybodyThere = Buffer.from('0600ff0700000000000000000009' + '2018c88100388e04b5', 'hex');

async function answering(child: Process, port: number): Promise<void> {
  const socket = createSocket('udp4');
  let hasAnswered = false;
  socket.once('message', () => {
    hasAnswered = true;
  });
  try {
    await child.until('its first answer', async () => {
      socket.send(anybodyThere, port, '127.0.0.1');
      return hasAnswered;
    });
  } finally {
    socket.close();
  }
}
