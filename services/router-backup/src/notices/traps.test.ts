import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { run, runs } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeInTrap, readTrap } from './traps.ts';

const snmpget = peer('snmp-tools');
const noSnmp = 'snmptrap is not installed (Debian: snmp)';

/** What Net-SNMP's snmptrap sends with these arguments, one blank apart; PORT stands for where to. */
async function sent(args: string): Promise<Buffer> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const heard = once(socket, 'message');
  const to = `127.0.0.1:${socket.address().port}`;
  const program = (snmpget ?? '').replace(/snmpget$/, 'snmptrap');
  const sending = run(
    program,
    args.split(' ').map((arg) => (arg === 'PORT' ? to : arg)),
    { env: { ...process.env, MIBS: '' } },
  ).catch(() => undefined);
  const [datagram] = await heard;
  socket.close();
  await sending;
  return datagram;
}

function changeIn(datagram: Buffer): string | undefined {
  const trap = readTrap(datagram);
  return trap && changeInTrap(trap);
}

const v2 = '-v 2c -c public PORT  ';
const v3 = '-v 3 -e 0x8000000001020304 -u ann -l';
const cisco = '1.3.6.1.4.1.9.9.43.2.0.1';
const destination = '1.3.6.1.4.1.9.9.43.1.1.6.1.5.17';
const arista = '1.3.6.1.4.1.30065.3.9.3.0.1 1.3.6.1.4.1.30065.3.9.1.1.2.1.5.9';

describe('what snmptrap sends', () => {
  it.for<[string, string, string | undefined]>([
    ['Cisco, to running', `${v2}${cisco} ${destination} i 3`, 'ciscoConfigManEvent'],
    ['Cisco, to startup', `${v2}${cisco} ${destination} i 4`, 'ciscoConfigManEvent'],
    ['Cisco, shown to somebody', `${v2}${cisco} ${destination} i 2`, undefined],
    ['Cisco, without more', `${v2}${cisco}`, 'ciscoConfigManEvent'],
    [
      'Cisco, version 1',
      `-v 1 -c x PORT 1.3.6.1.4.1.9.9.43.2 10.0.0.1 6 1  ${destination} i 3`,
      'ciscoConfigManEvent',
    ],
    ['Cisco, command line', `${v2}1.3.6.1.4.1.9.9.43.2.0.2`, 'ccmCLIRunningConfigChanged'],
    ['Juniper', `${v2}1.3.6.1.4.1.2636.4.5.0.1`, 'jnxCmCfgChange'],
    ['Arista', `${v2}${arista} i 3`, 'aristaConfigManEvent'],
    ['Arista, shown to somebody', `${v2}${arista} i 2`, undefined],
    ['ENTITY-MIB', `${v2}1.3.6.1.2.1.47.2.0.1`, 'entConfigChange'],
    ['linkDown', `${v2}1.3.6.1.6.3.1.1.5.3`, undefined],
    ['coldStart, version 1', '-v 1 -c x PORT 1.3.6.1.4.1.9 10.0.0.1 0 0 ', undefined],
    ['version 3', `${v3} noAuthNoPriv PORT  ${cisco}`, 'ciscoConfigManEvent'],
    [
      'version 3, signed',
      `${v3} authNoPriv -a SHA -A ten-letters PORT  ${cisco}`,
      'ciscoConfigManEvent',
    ],
  ])('%s', async ([, args, change], context) => {
    if (!snmpget) return context.skip(noSnmp);

    expect(changeIn(await sent(args))).toBe(change);
  });

  it('cannot be read when it is encrypted', async (context) => {
    if (!snmpget) return context.skip(noSnmp);
    const keys = '-a SHA -A ten-letters -x AES -X ten-letters';

    const datagram = await sent(`${v3} authPriv ${keys} PORT  ${cisco}`);

    expect(readTrap(datagram)).toBeUndefined();
  });
});

/** ciscoConfigManEvent to "running", SNMPv2c, as snmptrap sent it. */
const example = Buffer.from(
  '305b02010104067075626c6963a74e020436466f880201000201003040300e06082b06010201010300430230393019' +
    '060a2b060106030101040100060b2b0601040109092b0200013013060e2b0601040109092b010106010511020103',
  'hex',
);

describe('what is no trap', () => {
  it('is not this one', () => {
    expect(changeIn(example)).toBe('ciscoConfigManEvent');
  });

  it.each([
    ['nothing', ''],
    ['text', Buffer.from('<189>hello').toString('hex')],
    [
      'a request',
      '302602010104067075626c6963a01902047d8c3bd7020100020100300b300906052b060102010500',
    ],
    ['a length without an end', '3080'],
    ['a length of nine bytes', '308901020304050607080930'],
    ['cut short', example.subarray(0, -1).toString('hex')],
  ])('%s', (_, hex) => {
    expect(() => readTrap(Buffer.from(hex, 'hex'))).toThrow(RangeError);
  });

  it('ends in a RangeError, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: 0, max: example.length - 1 }),
        (bytes, at) => {
          const spoilt = Buffer.concat([example.subarray(0, at), Buffer.from(bytes)]);
          try {
            readTrap(spoilt);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        },
      ),
      runs(2500),
    );
  });
});
