import { expect, it } from 'vitest';
import { parseFleet } from '../racks/clusters.ts';
import { stagesOf } from './stages.ts';

it('a push begins with canaries, and continues wave by wave', async () => {
  const more = [{ wave: 10 }, {}, { canary: true, wave: 12 }, { wave: 2 }, {}];
  const common = { type: 'k3s', context_name: 'x', jumphost: 'jumphost', port: 6443 };
  const racks = more.map((each, i) => [`rack${i}`, { ...common, ...each }]);
  const clusters = Object.fromEntries(racks);
  const text = JSON.stringify({ gitdir: '~', repo: 'https://git.example.com', clusters });

  const fleet = await parseFleet(text, 'config.json');

  expect(stagesOf(fleet)).toEqual([['rack2'], ['rack1', 'rack4'], ['rack3'], ['rack0']]);
});
