/** Checks run side by side, and a lost connection ends them. */
import { describe, expect, it } from 'vitest';
import { ComputerError, type Host, prepare, type Step } from './index.ts';

const { signal } = new AbortController();
const lost = new ComputerError('j: no response within 60 s', { code: 'LOST' });

function hostWith(run: Host['run']): Host {
  return { name: 'j', run, need: async () => '', write: async () => {}, read: async () => '' };
}

function step(name: string, check: Step['check'], isAlone?: true): Step {
  return { name, about: '', needs: [], check, ...(isAlone && { isAlone }) };
}

const dead = hostWith(async () => {
  throw lost;
});

describe('a check', () => {
  it('waits for slow steps together, and then checks the one that sees what they do', async () => {
    const begun: string[] = [];
    const bothBegun = Promise.withResolvers<void>();
    const slow = (name: string) =>
      step(name, async () => {
        begun.push(name);
        if (begun.length === 2) bothBegun.resolve();
        await bothBegun.promise;
        begun.push(`end of ${name}`);
        return { differs: [] };
      });
    const alone = step(
      'c',
      async () => {
        begun.push('c');
        return { differs: ['c'] };
      },
      true,
    );

    const found = await prepare(dead, [alone, slow('a'), slow('b')], {
      isCheck: true,
      signal,
      report() {},
    });

    expect(begun).toEqual(['a', 'b', 'end of a', 'end of b', 'c']);
    expect(found.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'c differs',
      'a ok',
      'b ok',
    ]);
  });

  it('checks no more steps after a lost connection', async () => {
    const { begun, found } = await checkLost(dead);

    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    expect(found[0]?.text).toBe('j: no response within 60 s');
    expect(found[5]).toMatchObject({
      state: 'waiting',
      text: expect.stringContaining('connection failed'),
    });
  });

  it('checks the others while a short command responds, and names what may be wrong with those that do not', async () => {
    const stdout = 'host0/mtu:1000\nwg0/mtu:1420\n';
    const host = hostWith(async () => ({ code: 0, stdout, stderr: '' }));

    const { begun, found } = await checkLost(host);

    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(found[0]?.text).toMatch(
      /^j: no response within 60 s; a short command responds, so large packets are lost, .* \(host0 1000, wg0 1420\)/,
    );
    expect(found[5]).toMatchObject({ state: 'waiting', text: 'waits for a' });
  });
});

/** Each step loses the connection, and the last one depends on the first. */
async function checkLost(host: Host) {
  const begun: string[] = [];
  const steps = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({
    ...step(name, async () => {
      begun.push(name);
      throw lost;
    }),
    needs: name === 'f' ? ['a'] : [],
  }));
  const found = await prepare(host, steps, { isCheck: true, signal, report() {} });
  return { begun, found };
}
