import { ObjectType } from 'net-snmp';
import { describe, expect, it } from 'vitest';
import { DeviceRejected } from '../errors.ts';
import { type Ask, walkSubtree } from './walk.ts';

const root = '1.3.6.1.2.1.31.1.1.1.1';

const datagram = Buffer.alloc(64_000);

/** A device with an endless table: each response is one row of this many bytes, in a datagram of 64 kB. */
function endless(bytes: number, index = '') {
  const answers = { count: 0 };
  const ask: Ask = async () => {
    answers.count += 1;
    const value = datagram.subarray(0, bytes);
    return [{ oid: `${root}.${answers.count}${index}`, type: ObjectType.OctetString, value }];
  };
  return { ask, answers };
}

describe('a table without end', () => {
  it('is given up once its texts are larger than those of any switch', async () => {
    const { ask, answers } = endless(60_000);

    const walked = walkSubtree(ask, 'switch-1', root, true);

    await expect(walked).rejects.toThrow(DeviceRejected);
    await expect(walked).rejects.toThrow(`switch-1: the table ${root} has more than 4 MiB`);
    expect(answers.count).toBe(70);
  });

  it('is given up once its indices are', async () => {
    const long = endless(1, `.${Array(100).fill(4_000_000_000).join('.')}`);

    await expect(walkSubtree(long.ask, 'switch-1', root, true)).rejects.toThrow('more than 4 MiB');
  });

  it('is given up after 20,000 rows', async () => {
    await expect(walkSubtree(endless(1).ask, 'switch-1', root, true)).rejects.toThrow(
      'more than 20000 rows',
    );
  });
});

it('a row keeps nothing of the datagram that it came in', async () => {
  const { ask } = endless(3);
  const rows: Ask = async (...request) => {
    const [row] = await ask(...request);
    return row?.oid === `${root}.1` ? [row] : [];
  };

  const found = await walkSubtree(rows, 'switch-1', root, true);

  const value = found.get('1');
  expect(value).toEqual(Buffer.alloc(3));
  expect(Buffer.isBuffer(value) && value.buffer).not.toBe(datagram.buffer);
});
