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
    const reads = { ipv4: 0, ipv6: 0 };
    const entries = new Map([['10.0.0.1', 'aa']]);
    const read = (family: 'ipv4' | 'ipv6') => async () => {
      reads[family] += 1;
      const found = new Map(entries);
      await Promise.resolve();
      return found;
    };
    return { reads, entries, findMac: neighbourTable({ ipv4: read('ipv4'), ipv6: read('ipv6') }) };
  }

  it('shares a reading with those that come at the same time', async () => {
    const { reads, findMac } = table();
    const found = await Promise.all([1, 2, 3].map(() => findMac('10.0.0.1')));
    expect(found).toEqual(['aa', 'aa', 'aa']);
    expect(reads).toEqual({ ipv4: 1, ipv6: 0 });
  });

  it('never uses a reading that began before it', async () => {
    const { entries, findMac } = table();
    const before = findMac('10.0.0.1');
    await Promise.resolve();
    entries.set('10.0.0.1', 'spoofed');
    expect(await findMac('10.0.0.1')).toBe('spoofed');
    expect(await before).toBe('aa');
    entries.delete('10.0.0.1');
    expect(await findMac('10.0.0.1')).toBeUndefined();
  });

  it('fails if the kernel cannot be asked, and asks again the next time', async () => {
    const answers = [
      Promise.reject(new Error('no ip')),
      Promise.resolve(new Map([['fd00::1', 'aa']])),
    ];
    const ipv6 = () => answers.shift() ?? Promise.resolve(new Map());
    const findMac = neighbourTable({ ipv4: async () => new Map(), ipv6 });
    await expect(findMac('fd00::1')).rejects.toThrow('no ip');
    expect(await findMac('fd00::1')).toBe('aa');
  });
});
