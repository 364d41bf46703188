import { expect, it } from 'vitest';
import { operator } from './operator.ts';

const accepted =
  'Accepted publickey for root from 192.0.2.7 port 50122 ssh2: ED25519 SHA256:abc/def+0\n';
const ssh = { USER: 'root', SSH_CONNECTION: '192.0.2.7 50122 192.0.2.8 22' };

it.each<[NodeJS.ProcessEnv, string, string]>([
  [{ USER: 'root', SUDO_USER: 'ann' }, '', 'ann'],
  [ssh, accepted, 'root (ED25519 SHA256:abc/def+0 from 192.0.2.7)'],
  [ssh, '', 'root (from 192.0.2.7)'],
  [ssh, 'Accepted password for root from 192.0.2.7 port 50122 ssh2', 'root (from 192.0.2.7)'],
  [{ ...ssh, SKOLO_OPERATOR: 'ann@laptop' }, '', 'ann@laptop as root (from 192.0.2.7)'],
  [{ USER: 'root' }, '', 'root'],
  [{}, '', 'somebody'],
])('names who runs the command: %j', async (env, journal, text) => {
  const patterns: string[] = [];

  const named = await operator(env, async (pattern) => {
    patterns.push(pattern);
    return journal;
  });

  expect(named).toBe(text);
  expect(patterns).toEqual(env.SSH_CONNECTION ? ['from 192\\.0\\.2\\.7 port 50122 '] : []);
});
