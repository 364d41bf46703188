import { describe, expect, it } from 'vitest';
import { neighbourTable, parseArp, parseNeigh } from './neighbours.ts';

const arp = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.101    0x1         0x2         DC:A6:32:00:00:01     *        eth0
192.168.1.102    0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.1.103    0x1         0x6         dc:a6:32:00:00:03     *        eth0
`;

describe('the kernel table', () => {
  it('of IPv4 has finished entries, permanent ones too', () => {
    expect([...parseArp(arp)]).toEqual([
      ['192.168.1.101', 'dc:a6:32:00:00:01'],
      ['192.168.1.103', 'dc:a6:32:00:00:03'],
    ]);
  });

  it('of IPv6 has entries with a link-layer address', () => {
    const json =
      '[{"dst":"fd00::5","dev":"eth0","lladdr":"DC:A6:32:00:00:05","state":["REACHABLE"]},' +
      '{"dst":"fd00::6","dev":"eth0","state":["FAILED"]}]';
    expect([...parseNeigh(json)]).toEqual([['fd00::5', 'dc:a6:32:00:00:05']]);
    expect([...parseNeigh('')]).toEqual([]);
  });
});

describe('a look-up', () => {
  function table() {
    const now = { ms: 0 };
    const reads = { ipv4: 0, ipv6: 0 };
    const entries = new Map([['10.0.0.1', 'aa']]);
    const read = (family: 'ipv4' | 'ipv6') => async () => {
      reads[family] += 1;
      return new Map(entries);
    };
    const findMac = neighbourTable({ ipv4: read('ipv4'), ipv6: read('ipv6') }, () => now.ms);
    return { now, reads, entries, findMac };
  }

  it('reads the table once a second, however many ask', async () => {
    const { now, reads, findMac } = table();
    await Promise.all([1, 2, 3].map(() => findMac('10.0.0.1')));
    expect(reads.ipv4).toBe(1);

    now.ms = 1000;
    await findMac('10.0.0.1');

    expect(reads).toEqual({ ipv4: 2, ipv6: 0 });
  });

  it('looks once more for an address that is not there', async () => {
    const { entries, findMac } = table();
    await findMac('10.0.0.1');
    entries.set('10.0.0.2', 'bb');
    expect(await findMac('10.0.0.2')).toBe('bb');
    expect(await findMac('10.0.0.3')).toBeUndefined();
  });

  it('asks the other family for IPv6, and fails if that fails', async () => {
    const failing = { ipv4: async () => new Map(), ipv6: () => Promise.reject(new Error('no ip')) };
    await expect(neighbourTable(failing)('fd00::1')).rejects.toThrow('no ip');
  });
});
