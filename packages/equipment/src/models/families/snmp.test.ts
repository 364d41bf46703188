import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Secret, type SnmpCredentials } from '@skolo/base/secrets';
import { DeviceRejected, DeviceTimeout } from '@skolo/equipment/transports';
import { contentOf, elements } from '@skolo/equipment/transports/ber';
import { snmpTo } from '@skolo/equipment/transports/snmp';
import { startPoeSwitch } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const oid = '1.3.6.1.2.1.105.1.1.1.3.1.5';
const oidBytes = Buffer.from([0x2b, 6, 1, 2, 1, 105, 1, 1, 1, 3, 1, 5]);
const v2c: SnmpCredentials = {
  version: 2,
  community: new Secret('private'),
  authProtocol: 'sha',
  privProtocol: 'aes',
};
const v3: SnmpCredentials = {
  version: 3,
  user: 'lab',
  authProtocol: 'sha',
  authKey: new Secret('authauth1'),
  privProtocol: 'aes',
  privKey: new Secret('privpriv1'),
};

function der(tag: number, ...content: (Buffer | string)[]): Buffer {
  const inside = Buffer.concat(content.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([tag, inside.length]), inside]);
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return der(2, bytes);
}

/** "The port is on", or any other answer. */
function pdu(type: number, requestId: number, object = oidBytes, value = integer(1)): Buffer {
  const varbinds = der(0x30, der(0x30, der(6, object), value));
  return der(type, integer(requestId), integer(0), integer(0), varbinds);
}

function answerInVersion2c(requestId: number): Buffer {
  return der(0x30, der(2, Buffer.from([1])), der(4, 'private'), pdu(0xa2, requestId));
}

/** Unencrypted, whatever was requested. `flags` is 0, and no report is requested. */
function answerInVersion3(messageId: number, inside: Buffer): Buffer {
  const header = der(
    0x30,
    integer(messageId),
    integer(65_507),
    der(4, Buffer.from([0])),
    integer(3),
  );
  const security = der(
    0x30,
    der(4, 'an-engine-id'),
    integer(1),
    integer(1),
    der(4, 'lab'),
    der(4, ''),
    der(4, ''),
  );
  const scoped = der(0x30, der(4, 'an-engine-id'), der(4, ''), inside);
  return der(0x30, der(2, Buffer.from([3])), header, der(4, security), scoped);
}

/** The first integer after the version and, in 2c, the community: the request id. */
function numberOf(request: Buffer): number {
  const isVersion3 = request.includes(Buffer.from([2, 1, 3, 0x30]));
  const at = isVersion3
    ? request.indexOf(Buffer.from([2, 1, 3, 0x30])) + 5
    : request.indexOf('private') + 9;
  return request.readIntBE(at + 2, request[at + 1] ?? 0);
}

const tags = { write: 0xa3, rows: 0xa5 };

/** By the tag after the community: a request id may contain any byte. */
function isFor(what: keyof typeof tags, request: Buffer): boolean {
  return request[request.indexOf('private') + 'private'.length] === tags[what];
}

async function listen(host = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, host);
  await once(socket, 'listening');
  onTestFinished(() => {
    socket.close();
  });
  return socket;
}

async function startLiar(answer: (request: Buffer, from: RemoteInfo, socket: Socket) => void) {
  const socket = await listen();
  const requests: Buffer[] = [];
  socket.on('message', (request, from) => {
    requests.push(request);
    answer(request, from, socket);
  });
  return { port: socket.address().port, requests };
}

function snmp(port: number, login: SnmpCredentials) {
  const device = {
    name: 'switch-1',
    model: 'snmp-poe',
    address: '127.0.0.1',
    ports: { snmp: port },
  };
  return snmpTo(device, { credentials: async () => ({ legacySsh: false, snmp: login }) });
}

const signal = new AbortController().signal;
const unknownEngine = Buffer.from([0x2b, 6, 1, 6, 3, 15, 1, 1, 4, 0]);

describe('what SNMP is believed', () => {
  it('takes an answer of the device, in the version that it was asked in', async () => {
    const { port } = await startLiar((request, from, socket) => {
      socket.send(answerInVersion2c(numberOf(request)), from.port);
    });

    expect(await snmp(port, v2c).read([oid], [], signal)).toEqual(new Map([[oid, 1]]));
  });

  it.for(['127.0.0.1', '127.0.0.2'])('takes none of %s, and names it', async (host) => {
    const stranger = await listen(host);
    const { port, requests } = await startLiar((request, from) => {
      stranger.send(answerInVersion2c(numberOf(request)), from.port);
    });

    const error = await isLate(() => snmp(port, v2c).read([oid], [], signal), requests);

    const sender = `${host} (port ${stranger.address().port})`;
    expect(String(error)).toContain(`no SNMP response within 5 s, but one came from ${sender}`);
    expect(String(error)).not.toContain('community');
  });

  it('names nobody for what is not SNMP', async () => {
    const stranger = await listen('127.0.0.2');
    const { port, requests } = await startLiar((_request, from) => {
      for (const text of ['', 'hello']) stranger.send(text, from.port);
    });

    const error = await isLate(() => snmp(port, v2c).read([oid], [], signal), requests);

    expect(String(error)).toContain('a wrong community has the same result');
  });

  it.for([
    ['another version', (n: number) => answerInVersion3(n, pdu(0xa2, n))],
    [
      'another version, signed by nobody',
      (n: number) => {
        const answer = answerInVersion3(n, pdu(0xa2, n));
        const flags = answer.indexOf(Buffer.from([4, 1, 0]));
        answer[flags + 2] = 1;
        return answer;
      },
    ],
  ] as const)('takes none in %s', async ([, answer]) => {
    const { port, requests } = await startLiar((request, from, socket) => {
      socket.send(answer(numberOf(request)), from.port);
    });

    await isLate(() => snmp(port, v2c).read([oid], [], signal), requests);
  });

  it('takes none in the clear to what was asked in secret', async () => {
    const { port, requests } = await startLiar((request, from, socket) => {
      const number = numberOf(request);
      const isDiscovery = requests.length === 1;
      const report = pdu(0xa8, 0, unknownEngine, der(0x41, Buffer.from([1])));
      const answer = isDiscovery ? report : pdu(0xa2, number);
      socket.send(answerInVersion3(number, answer), from.port);
    });

    await isLate(() => snmp(port, v3).read([oid], [], signal), requests, 2);
  });

  it.for([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('HTTP/1.1 400 Bad Request')],
    ['cut short', answerInVersion2c(1).subarray(0, 20)],
    ['longer than it is', Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff])],
    [
      'a number without bytes',
      der(0x30, der(2, Buffer.from([1])), der(4, 'private'), der(0xa2, der(2))),
    ],
    ['a message without a PDU', der(0x30, der(2, Buffer.from([1])), der(4, 'private'))],
  ] as const)('survives an answer that is %s', async ([, bytes]) => {
    const { port } = await startLiar((_request, from, socket) => socket.send(bytes, from.port));

    await expect(snmp(port, v2c).read([oid], [], signal)).rejects.toThrow(DeviceRejected);
  });

  it('takes no answer about another object', async () => {
    const { port } = await startLiar((request, from, socket) => {
      const other = Buffer.from([...oidBytes.subarray(0, -1), 6]);
      const community = der(4, 'private');
      const inside = pdu(0xa2, numberOf(request), other);
      socket.send(der(0x30, der(2, Buffer.from([1])), community, inside), from.port);
    });

    await expect(snmp(port, v2c).read([oid], [], signal)).rejects.toThrow(DeviceRejected);
  });

  it('takes no text for a number', async () => {
    const { port } = await startLiar((request, from, socket) => {
      const inside = pdu(0xa2, numberOf(request), oidBytes, der(4, '1'));
      socket.send(der(0x30, der(2, Buffer.from([1])), der(4, 'private'), inside), from.port);
    });

    expect(await snmp(port, v2c).read([oid], [], signal)).toEqual(new Map([[oid, '1']]));
  });
});

describe('what agents make of SNMP', () => {
  const community = der(4, 'private');
  const message = (inside: Buffer) => der(0x30, der(2, Buffer.from([1])), community, inside);
  const longLength = (bytes: Buffer) =>
    Buffer.concat([bytes.subarray(0, 1), Buffer.from([0x82, 0, bytes[1] ?? 0]), bytes.subarray(2)]);

  it.for([
    ['keeps 16 bits of the request ID', (n: number) => answerInVersion2c(n & 0xffff)],
    [
      'writes an ID in five bytes',
      (n: number) => {
        const varbinds = der(0x30, der(0x30, der(6, oidBytes), integer(1)));
        const id = der(2, Buffer.from([0, 0, 0, n >> 8, n & 0xff]));
        return message(der(0xa2, id, integer(0), integer(0), varbinds));
      },
    ],
    [
      'pads object identifiers',
      (n: number) => {
        const padded = Buffer.concat([oidBytes.subarray(0, -1), Buffer.from([0x80, 5])]);
        return message(pdu(0xa2, n, padded));
      },
    ],
    [
      'writes lengths in three bytes',
      (n: number) => {
        const value = longLength(der(2, Buffer.from([1])));
        return longLength(message(longLength(pdu(0xa2, n, oidBytes, value))));
      },
    ],
  ] as const)('reads from one that %s', async ([, answer]) => {
    const { port } = await startLiar((request, from, socket) => {
      socket.send(answer(numberOf(request)), from.port);
    });

    expect(await snmp(port, v2c).read([oid], [], signal)).toEqual(new Map([[oid, 1]]));
  });

  /** Answers each variable of a request by its column and its last number; an error of version 2c, or nothing, answers the whole request. */
  const answering = (value: (column: number, last: number) => Buffer | number | undefined) =>
    startLiar((request, from, socket) => {
      const [, , inside] = elements(contentOf(elements(request)[0], 0x30));
      const list = elements(inside?.content ?? Buffer.alloc(0))[3];
      const names = elements(list?.content ?? Buffer.alloc(0)).map(
        (each) => elements(each.content)[0]?.content ?? Buffer.alloc(0),
      );
      const values = names.map((name) => value(name.at(-3) ?? 0, name.at(-1) ?? 0));
      if (values.includes(undefined)) return;
      const status = values.find((each) => typeof each === 'number') ?? 0;
      const varbinds = names.map((name, index) => {
        const each = values[index];
        return der(0x30, der(6, name), Buffer.isBuffer(each) ? each : der(5));
      });
      const head = [integer(numberOf(request)), integer(Number(status)), integer(1)];
      socket.send(message(der(0xa2, ...head, der(0x30, ...varbinds))), from.port);
    });
  const [five, six] = [oid, oid.replace(/5$/, '6')];
  const [watts, wattsOfSix] = [five, six].map((each) => each.replace('.3.1.', '.6.1.'));
  const more = [watts ?? '', wattsOfSix ?? ''];

  it.for([
    ['is missing', der(0x80)],
    ['has no instance', der(0x81)],
    ['is beyond the view', der(0x82)],
    ['is tooBig', 1],
    ['is noSuchName', 2],
    ['is genErr', 5],
    ['is noAccess', 6],
    ['is resourceUnavailable', 13],
    ['is authorizationError', 16],
    ['is a number without bytes', der(2)],
  ] as const)('reads the states where an optional column %s', async ([, answer]) => {
    const { port } = await answering((column) => (column === 6 ? answer : integer(1)));

    const read = await snmp(port, v2c).read([five, six], more, signal);

    expect([...read]).toEqual([
      [five, 1],
      [six, 1],
    ]);
  });

  it.for([1, 2, 5, 6, 16])('reads all but what is rejected with status %i', async (status) => {
    const { port } = await answering((_column, last) => (last === 6 ? status : integer(1)));

    const read = await snmp(port, v2c).read([five, six], more, signal);

    expect([...read.keys()]).toEqual([five, more[0]]);
  });

  it('requires a response to optional objects alone', async () => {
    const silent = await answering(() => undefined);
    const unable = await answering(() => 5);

    const read = () => snmp(silent.port, v2c).read([], [five], signal);
    await isLate(read, silent.requests);
    expect((await snmp(unable.port, v2c).read([], [five], signal)).size).toBe(0);
  });

  it('names the error where nothing can be read', async () => {
    const { port } = await answering(() => 5);

    const read = snmp(port, v2c).read([five, six], more, signal);

    await expect(read).rejects.toThrow(/returned GeneralError/);
  });

  it('asks a device that fell silent at an optional column less often', async () => {
    const { port, requests } = await answering((column) => (column === 6 ? undefined : integer(1)));
    const device = snmp(port, v2c);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());

    const first = device.read([five, six], more, signal);
    while (requests.length < 2) await new Promise(setImmediate);
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await first).size).toBe(2);
    const asked = requests.length;
    for (const _ of [1, 2, 3]) expect((await device.read([five, six], more, signal)).size).toBe(2);

    // One each, and perhaps the last one of before.
    expect(requests.length - asked).toBeLessThanOrEqual(4);
  });

  const nameOfSix = (...more: number[]) => Buffer.from([...oidBytes.subarray(0, -1), 6, ...more]);
  const withZero = Buffer.concat([oidBytes, Buffer.from([0])]);

  it.for([
    ['appends .0 to the names', [withZero, nameOfSix(0)]],
    ['answers in another order', [nameOfSix(), oidBytes]],
    ['adds .0 to one', [withZero, nameOfSix()]],
  ] as const)('reads and writes to one that %s', async ([, names]) => {
    const { port } = await startLiar((request, from, socket) => {
      const isWrite = isFor('write', request);
      const found = (isWrite ? names.filter((name) => name.includes(5)) : names).map((name) =>
        der(0x30, der(6, name), integer(name.includes(5) ? 5 : 6)),
      );
      const head = [integer(numberOf(request)), integer(0), integer(0)];
      socket.send(message(der(0xa2, ...head, der(0x30, ...found))), from.port);
    });
    const device = snmp(port, v2c);

    expect(await device.read([five, six], [], signal)).toEqual(
      new Map([
        [five, 5],
        [six, 6],
      ]),
    );
    await device.write(five, 5, signal);
  });

  it('reads from one that sends each answer twice, and all of them late', async () => {
    const late: Buffer[] = [];
    const { port } = await startLiar((request, from, socket) => {
      for (const answer of late) socket.send(answer, from.port);
      late.push(answerInVersion2c(numberOf(request)));
      for (const _ of [1, 2]) socket.send(late.at(-1) ?? '', from.port);
    });
    const device = snmp(port, v2c);

    for (const _ of [1, 2, 3])
      expect(await device.read([oid], [], signal)).toEqual(new Map([[oid, 1]]));
  });

  /** Rows by their last number, in the order in which the agent has them. */
  function table(
    rows: readonly number[],
    isBulk: (request: Buffer) => 'answers' | Buffer | undefined,
  ) {
    const root = oidBytes.subarray(0, -1);
    const row = (last: number, value = integer(last)) =>
      der(0x30, der(6, Buffer.from([...root, last])), value);
    return startLiar((request, from, socket) => {
      const id = numberOf(request);
      const bulk = isFor('rows', request);
      const last = request.at(-3) ?? 0;
      const at = request.at(-4) === 1 && request.includes(root) ? rows.indexOf(last) + 1 : 0;
      const found = rows.slice(at, bulk ? undefined : at + 1).map((each) => row(each));
      if (found.length === 0) found.push(der(0x30, der(6, Buffer.from([0x2b, 7])), integer(0)));
      const varbinds = der(0x30, ...found);
      const answer = message(der(0xa2, integer(id), integer(0), integer(0), varbinds));
      const how = bulk ? isBulk(request) : 'answers';
      if (how !== undefined) socket.send(how === 'answers' ? answer : how, from.port);
    });
  }
  const rootOid = oid.replace(/\.5$/, '');

  it('walks a table that is not in order', async () => {
    const { port } = await table([3, 7, 4, 5, 1], () => 'answers');

    const walked = await snmp(port, v2c).walk(rootOid, signal);

    expect([...walked]).toEqual([3, 7, 4, 5, 1].map((each) => [String(each), each]));
  });

  it('gives up a table that loops', async () => {
    const { port } = await table([3, 7, 3, 9], () => 'answers');

    await expect(snmp(port, v2c).walk(rootOid, signal)).rejects.toThrow(/loops at/);
  });

  it.for([
    ['tooBig', (id: number) => message(der(0xa2, integer(id), integer(1), integer(0), der(0x30)))],
    ['genErr', (id: number) => message(der(0xa2, integer(id), integer(5), integer(1), der(0x30)))],
    ['a number without bytes', (id: number) => message(pdu(0xa2, id, oidBytes, der(2)))],
    ['no SNMP', () => Buffer.from('0')],
  ] as const)('walks row by row where an answer to many rows is %s', async ([, answer]) => {
    const { port, requests } = await table([1, 2, 3], (request) => answer(numberOf(request)));
    const device = snmp(port, v2c);

    for (const _ of [1, 2]) {
      expect([...(await device.walk(rootOid, signal)).values()]).toEqual([1, 2, 3]);
    }
    expect(requests.filter((request) => isFor('rows', request))).toHaveLength(1);
  });

  it('walks row by row where requests for many rows get no answer', async () => {
    const { port } = await table([1, 2], () => undefined);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());

    const walked = snmp(port, v2c).walk(rootOid, signal);
    await vi.advanceTimersByTimeAsync(11_000);

    expect([...(await walked).values()]).toEqual([1, 2]);
  });
});

/** After this many requests. */
async function isLate(
  read: () => Promise<unknown>,
  requests: readonly Buffer[],
  asked = 1,
): Promise<unknown> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const caught = read().catch((error: unknown) => error);
  while (requests.length < asked) await new Promise(setImmediate);
  // So that the response has arrived.
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  await vi.advanceTimersByTimeAsync(5_000);
  const error = await caught;
  expect(error).toBeInstanceOf(DeviceTimeout);
  return error;
}

it('signs in with another value of its login where the device rejects the first', async () => {
  const device = await startPoeSwitch({
    users: [
      {
        name: 'lab',
        access: 'write',
        authProtocol: 'sha',
        authKey: 'authauth1',
        privKey: 'privpriv1',
      },
    ],
  });
  onTestFinished(() => device.close());
  const changed = { ...v3, authKey: new Secret('yesterday1') };
  const credentials = async () => ({
    legacySsh: false,
    snmp: changed,
    others: [{ legacySsh: false, snmp: v3 }],
  });
  const place = { name: 'switch-1', model: 'snmp-poe', address: device.host };
  const agent = snmpTo({ ...place, ports: { snmp: device.port } }, { credentials });

  expect(await agent.read([oid], [], signal)).toEqual(new Map([[oid, 1]]));
});
