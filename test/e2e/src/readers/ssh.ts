/** What a device sends over ssh, from its first line on: each file of `transports/ssh` that reads has a row. */
import { getDiffieHellman } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { limits } from '../../../../packages/equipment/src/transports/budget/received.ts';
import { openExec } from '../../../../packages/equipment/src/transports/session/open.ts';
import { authentication } from '../../../../packages/equipment/src/transports/ssh/authentication.ts';
import { keysOf } from '../../../../packages/equipment/src/transports/ssh/group-exchange.ts';
import {
  field,
  isSignedBy,
} from '../../../../packages/equipment/src/transports/testing/ssh-packets.ts';
import { startSshServer } from '../../../../packages/equipment/src/transports/testing/ssh-server.ts';
import { deps, target } from '../../../../packages/equipment/src/transports/testing/targets.ts';
import { startTcpServer } from '../../../../packages/equipment/src/transports/testing/tcp-server.ts';
import { linesOf, type Most, type Row } from './contents.ts';

/** Of an unencrypted packet, which ssh2 permits. */
const packet = { bytes: 35_000 };
/** RFC 4256, section 3.2: each has a length and a flag. */
const mostQuestions = packet.bytes / 6;
/** What a socket reads at a time. */
const atOnce = { bytes: 64 * 1024 };
const { signal } = new AbortController();

/** In groups that OpenSSL knows, keys are short and cost little; it knows none with this generator. */
const generator = Buffer.from('7fffffff', 'hex');

/** The prime is the message. The device's public key arrives in another turn. */
async function exchangeKeys(prime: Buffer): Promise<void> {
  const keys = keysOf(prime, generator);
  await setImmediate();
  const [first = 0] = prime;
  keys.computeSecret(Buffer.concat([Buffer.of(first >> 1), prime.subarray(1)]));
}

function exchange(bits: number, known: string, limit: Pick<Row, 'mostMs'> = {}): Row {
  return {
    reader: `ssh/group-exchange.ts: a group of ${bits} bits`,
    most: { bytes: bits / 8 },
    worst: [getDiffieHellman(known).getPrime()],
    read: exchangeKeys,
    ...limit,
  };
}

/** RFC 4253, section 6.6. Only the length of both numbers matters for what a check costs. */
function rsaKey(bits: number, exponentBits: number): Buffer {
  const number = (size: number, first: number) =>
    Buffer.concat([Buffer.of(0, first), Buffer.alloc(size / 8 - 1, 0xff)]);
  const [exponent, modulus] = [number(exponentBits, 0xfe), number(bits, 0xff)];
  return Buffer.concat([Buffer.from('ssh-rsa'), exponent, modulus].map(field));
}

/** OpenSSL's longest, and the longest whose exponent may be as long. */
const rsaBits = { most: 16_384, anyExponent: 3072 };

/** A signature of another length than the key is not computed with. */
function verifySignature(hostKey: Buffer): void {
  for (const bits of Object.values(rsaBits)) isSignedBy(hostKey, Buffer.alloc(bits / 8, 0x7f));
}

/** A server whose commands, such as scp, print the message. */
async function printing(message: Buffer) {
  const server = await startSshServer({
    exec: (_command, channel) => {
      channel.on('error', () => undefined);
      channel.end(message, () => {
        channel.exit(0);
        channel.close();
      });
    },
  });
  return await openExec(target(server.port), await deps(), signal);
}

const printed =
  (read: (session: Awaited<ReturnType<typeof printing>>) => Promise<unknown>): Row['read'] =>
  async (message) => {
    const session = await printing(message);
    try {
      await read(session);
    } finally {
      await session.close();
    }
  };

/** Everything before a sign-in. */
async function shakeHands(message: Buffer): Promise<void> {
  const { port } = await startTcpServer((socket) => socket.end(message));
  await openExec(target(port), await deps(), signal);
}

/** As one long question with long words before it, and as many short ones; each twice, because a second one may mean that the first failed. */
function answer(message: Buffer): void {
  const text = message.toString('latin1');
  const short = Array.from(text.slice(0, mostQuestions), (prompt) => ({ prompt }));
  for (const questions of [[{ prompt: 'Password:' }], [{ prompt: text }], short]) {
    const choose = authentication(target(22), [], () => undefined);
    choose([], false, () => undefined);
    choose(['keyboard-interactive'], false, (method) => {
      if (typeof method === 'string' || typeof method === 'boolean') return;
      if (method.type !== 'keyboard-interactive') return;
      for (const each of [questions, questions]) {
        method.prompt(text, text, '', each, () => undefined);
      }
    });
  }
}

const configuration: Most = {
  bytes: limits.configuration.bytes,
  count: 4 * limits.configuration.count,
  weights: limits.configuration.weights,
};
/** What is read from a device before it has sent too much. */
const transfer = { bytes: limits.configuration.bytes + 1024 * 1024 };
const file = Buffer.concat([
  Buffer.from(`C0600 ${limits.configuration.bytes} a\n`),
  Buffer.alloc(limits.configuration.bytes + 1),
]);

export const ssh: readonly Row[] = [
  exchange(4096, 'modp16'),
  // With legacySsh only.
  exchange(8192, 'modp18', { mostMs: 400 }),
  {
    reader: 'ssh/ssh.ts: the signature of a host key',
    most: packet,
    worst: [rsaKey(rsaBits.most, 64), rsaKey(rsaBits.anyExponent, rsaBits.anyExponent)],
    read: verifySignature,
  },
  {
    reader: 'ssh/ssh.ts: everything before a sign-in',
    most: atOnce,
    worst: [
      { begin: 'SSH-2.0-a\r\n', piece: '\0\0\0\x0c\x0a\x02\0\0\0\0\0\0\0\0\0\0' },
      { begin: 'SSH-2.0-a\r\n', piece: '\0\0\0\x0c\x0a\x01' },
      { piece: 'a\r\n', end: 'SSH-2.0-a\r\n' },
    ],
    read: shakeHands,
  },
  {
    reader: 'ssh/authentication.ts: questions at sign-in',
    most: packet,
    worst: [
      { piece: 'new ' },
      { piece: 'change a a a ' },
      { begin: 'enter new ', piece: 'a ', end: 'password' },
      { piece: 'password must be ' },
    ],
    read: answer,
  },
  {
    reader: 'ssh/exec.ts: the output of a command',
    most: configuration,
    worst: [{ piece: linesOf('a ', configuration) }],
    read: printed((session) => session.execBytes('show', { signal, timeoutMs: 1000 })),
  },
  {
    reader: 'ssh/scp.ts: a file, and what precedes it',
    most: transfer,
    worst: [file, { piece: 'T1 0 1 0\n' }, { piece: 'T\n' }, { begin: '\x01', piece: 'a' }],
    read: printed((session) => session.download('a', { signal, timeoutMs: 1000 })),
  },
];

/** Files of `transports/ssh` that read nothing, or that another row reads with. */
export const withoutSshReader: Readonly<Record<string, string>> = {
  'ssh/algorithms.ts': 'names of algorithms that ssh2 has agreed on',
  'ssh/errors.ts': 'words of errors of ssh2',
  'ssh/scp-wire.ts': 'what scp.ts reads with',
};
