import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Block, takeBlock } from './block.ts';
import { hasManyLoopbackAddresses } from './ports.ts';

async function take(text = ''): Promise<Block> {
  const block = await takeBlock(text);
  onTestFinished(() => block.release());
  return block;
}

describe.skipIf(!(await hasManyLoopbackAddresses()) && 'only 127.0.0.1 here')(
  'the addresses of a demo',
  () => {
    it('are those of no other demo, also of one that starts at the same time', async () => {
      const blocks = await Promise.all([take(), take(), take()]);

      expect(new Set(blocks.map(({ prefix }) => prefix)).size).toBe(3);
      for (const { prefix, host, machineHost } of blocks) {
        expect([host, machineHost]).toEqual([`${prefix}.0.1`, `${prefix}.1.1`]);
      }
    });

    it('are those of its rack.yaml, where these are free', async () => {
      const previous = await takeBlock('');
      const text = `address: ${previous.prefix}.1.7`;
      await previous.release();

      // Another demo may take the block in between, but not ten times.
      await expect
        .poll(async () => {
          const block = await takeBlock(text);
          await block.release();
          return block.readdress(text);
        })
        .toBe(text);
    });

    it('replace those of a block that another demo has, and nothing else', async () => {
      const first = await take();
      const text = `subnet: 127.0.0.0/8, address: ${first.prefix}.1.[2-4], url: "http://${first.prefix}.0.1:8004", mine: 127.0.0.1, 10.127.101.1`;

      const second = await take(text);

      expect(second.readdress(text)).toBe(
        text
          .replaceAll(`${first.prefix}.`, `${second.prefix}.`)
          .replace(`10.${second.prefix}.1`, '10.127.101.1'),
      );
    });

    it('replace those that the demo had before it had blocks', async () => {
      const block = await take();

      expect(block.readdress('[127.0.1.5, 127.0.2.4, 127.0.0.1, 127.0.0.0/8]')).toBe(
        `[${block.prefix}.1.5, ${block.prefix}.2.4, 127.0.0.1, 127.0.0.0/8]`,
      );
    });

    it('are free again when they are released', async () => {
      const block = await takeBlock('');
      await block.release();

      const socket = connect(22_020, block.host);
      const [error] = await once(socket, 'error');
      expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    });
  },
);
