/** Equipment that sends a given message, as near to its reader as possible. */
import { writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { Secret } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import type { DriverDeps } from '../../../../packages/equipment/src/models/contract/outlets.ts';
import { loadDrivers } from '../../../../packages/equipment/src/models/load.ts';
import { depsWith, rackDevice } from '../../../../packages/equipment/src/models/testing/outlets.ts';
import type { AnsweringDevice } from '../../../../packages/equipment/src/models/testing/proof.ts';
import { logins } from '../../../../packages/equipment/src/models/testing/snmp.ts';
import { serve } from '../../../../packages/equipment/src/models/testing/unneeded/transports.ts';
import { Intake } from '../../../../packages/equipment/src/transports/budget/intake.ts';
import { openCliOn } from '../../../../packages/equipment/src/transports/cli/cli.ts';
import { httpTo } from '../../../../packages/equipment/src/transports/http/http.ts';
import { visitBroker } from '../../../../packages/equipment/src/transports/mqtt.ts';
import { runProgram } from '../../../../packages/equipment/src/transports/program.ts';
import { elements } from '../../../../packages/equipment/src/transports/snmp/ber.ts';
import { snmpTo } from '../../../../packages/equipment/src/transports/snmp/snmp.ts';
import { limitOf } from '../../../../packages/equipment/src/transports/stream/limit.ts';
import type { Terminal } from '../../../../packages/equipment/src/transports/stream/terminal.ts';
import { connectTelnet } from '../../../../packages/equipment/src/transports/telnet/telnet.ts';
import { linuxShell } from '../../../../packages/equipment/src/transports/testing/dialects.ts';
import { deps, target } from '../../../../packages/equipment/src/transports/testing/targets.ts';
import { startTcpServer } from '../../../../packages/equipment/src/transports/testing/tcp-server.ts';

type From = (message: Buffer) => Promise<unknown>;

/** What a socket reads at a time. */
const packet = 64 * 1024;
/** For equipment that does not come to an end. */
const patienceMs = 1000;
const login = { username: 'ubnt', password: new Secret('right'), legacySsh: false };
const { signal } = new AbortController();

function lineOptions() {
  const limit = limitOf(signal, patienceMs);
  return { device: 'switch-1', dialect: linuxShell, credentials: login, mayAsk: true, limit };
}

/** A command line that answers with the message, and then with its prompt. */
function terminal(message: Buffer): Terminal {
  let hear = (_bytes: Buffer): void => undefined;
  const say = (bytes: Buffer) => {
    hear(bytes.subarray(0, packet));
    if (bytes.length > packet) setImmediate(() => say(bytes.subarray(packet)));
  };
  return {
    intake: new Intake('switch-1', new Socket(), () => undefined),
    listen({ data }) {
      hear = data;
      setImmediate(() => say(Buffer.from('host$ ')));
    },
    write(text) {
      const answer = text.startsWith('show') ? [message, Buffer.from('\r\n')] : [];
      say(Buffer.concat([Buffer.from(`${text}\n`), ...answer, Buffer.from('host$ ')]));
    },
    destroy: () => undefined,
    gone: async () => undefined,
  };
}

/** The answer to a command: a table, or a configuration. */
export function fromCommandLine(how: 'run' | 'read'): From {
  return async (message) => {
    const cli = await openCliOn(terminal(message), lineOptions());
    await cli[how]('show', { signal, timeoutMs: patienceMs });
  };
}

/** Everything before a prompt, over telnet. */
export const fromSignIn: From = async (message) => {
  const { port } = await startTcpServer((socket) => socket.end(message));
  const { limit, ...options } = lineOptions();
  const line = await connectTelnet(target(port), await deps(), limit);
  await openCliOn(line, { ...options, limit });
};

/** An HTTP response: with `head`, the message is its body, else all of it. */
export function fromHttp(head: string): From {
  return async (message) => {
    const http = await httpPort(head, message);
    const endpoint = { name: 'pdu-1', address: '127.0.0.1', ports: { http } };
    const { hostKeys } = await deps();
    const access = { hostKeys, credentials: async () => login };
    const reason = (body: string) => body;
    await httpTo(endpoint, access, { signIn: 'challenge', reason })({ path: '/' }, signal);
  };
}

async function httpPort(head: string, message: Buffer): Promise<number> {
  const { port } = await startTcpServer((socket) =>
    socket.once('data', () => socket.end(Buffer.concat([Buffer.from(head), message]))),
  );
  return port;
}

/** The variables of an SNMP response. */
export const fromAgent: From = async (message) => {
  const snmp = logins.v2c;
  const device = { name: 'pdu-1', model: 'snmp-poe', address: '127.0.0.1', ports: {} };
  const credentials = async () => ({ ...login, snmp });
  const session = snmpTo(device, { credentials, datagrams: async () => agent(message) });
  await session.walk('1.3.6.1', AbortSignal.timeout(patienceMs));
};

function agent(message: Buffer): Duplex {
  return new Duplex({
    read: () => undefined,
    write(request: Buffer, _encoding, done) {
      const [whole] = elements(request.subarray(2));
      const [version, community, pdu] = elements(whole?.content ?? request);
      const [id] = elements(pdu?.content ?? request);
      const none = tagged(2, Buffer.from([0]));
      const content = [tagged(2, id?.content), none, none, tagged(0x30, message)];
      const response = tagged(0xa2, Buffer.concat(content));
      const parts = [tagged(2, version?.content), tagged(4, community?.content), response];
      const datagram = tagged(0x30, Buffer.concat(parts));
      const length = Buffer.alloc(2);
      length.writeUInt16BE(datagram.length);
      this.push(Buffer.concat([length, datagram]));
      done();
    },
  });
}

/** An element of BER, with a length of four bytes. */
export function tagged(tag: number, content: Buffer = Buffer.alloc(0)): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([Buffer.from([tag, 0x84]), length, content]);
}

/** Packets of a broker, behind its answers to the connection and the subscription. */
export const fromBroker: From = async (message) => {
  const { port: mqtt } = await startTcpServer((socket) => {
    const answers = [Buffer.from([0x20, 2, 0, 0]), Buffer.from([0x90, 3, 0, 1, 1])];
    socket.on('data', () => {
      const [next] = answers.splice(0, 1);
      if (next !== undefined) socket.write(next);
      if (answers.length === 0) socket.end(message);
    });
  });
  const endpoint = { name: 'relay-1', address: '127.0.0.1', ports: { mqtt } };
  const topics = { topics: ['a'], watch: undefined };
  const late = () => new Error('no answer') as never;
  const limit = AbortSignal.timeout(patienceMs);
  await visitBroker(endpoint, { credentials: async () => login }, topics, limit, async (visit) => {
    const parse = () => undefined;
    await visit.ask({ topic: 'b', payload: '', answerTopic: 'a', parse, late });
  });
};

/** A program, of whose outputs one is an error. */
export const fromProgram: From = async (message) => {
  const file = join(await tempDir(), 'output');
  await writeFile(file, message);
  const command = ['sh', '-c', `cat ${file}; cat ${file} >&2; exit 1`];
  await runProgram('relay-1', { command, timeoutMs: 60_000, hint: 'install it' }, signal);
};

/** A driver's readings and commands: its HTTP server, program or shell answers to everything with the message. */
export async function outletsOf(model: string, about: AnsweringDevice): Promise<From | undefined> {
  const driver = (await loadDrivers()).get(model);
  const { over, outlet, options = {} } = about;
  if (driver === undefined || over === 'snmp' || over === 'mqtt') return;
  return async (message) => {
    const text = message.toString('latin1');
    const head = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n';
    const served = over === 'program' ? await serve(about, () => text) : undefined;
    await served?.refresh?.();
    const ports = over === 'http' ? { http: await httpPort(head, message) } : {};
    const device = rackDevice(model, { address: '127.0.0.1', ports, options });
    const open = driver.create(device, answeringTo(text));
    for (const work of [
      () => open.read([outlet], signal),
      () => open.report?.([outlet], signal),
      () => open.turnOff(outlet, signal),
    ]) {
      await work()?.catch(() => undefined);
    }
  };
}

function answeringTo(text: string): DriverDeps {
  const own = depsWith(login);
  const session = {
    exec: async () => ({ stdout: text, stderr: text, status: 0 }),
    run: async () => text,
  };
  const use: DriverDeps['sessions']['use'] = (_key, _open, work, either) =>
    work(session as never, either);
  return { ...own, sessions: Object.assign(own.sessions, { use }) };
}
