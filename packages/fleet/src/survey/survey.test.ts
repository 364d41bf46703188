import { lacks } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startWorkstation } from '../testing/workstation.ts';
import { surveyRacks } from './survey.ts';

describe.skipIf(lacks('sshd', 'ssh'))('surveyRacks', () => {
  it('has the version of each rack, or why it cannot be reached', async () => {
    const workstation = await startWorkstation();
    onTestFinished(workstation.close);
    const { rack, jumphost, env } = workstation;
    await jumphost.program('k3s', 'echo \'{"serverVersion":{"gitVersion":"v1.32.5+k3s1"}}\'');
    const gone = { ...rack, name: 'rack5', ways: [{ host: 'jumphost-rack5.invalid' }] };

    const reports = await surveyRacks([gone, rack], { env, signal: new AbortController().signal });

    expect(reports).toEqual([
      {
        rack: gone,
        error: expect.objectContaining({ message: expect.stringContaining('no such host name') }),
      },
      { rack, answer: 'v1.32.5+k3s1' },
    ]);
    await jumphost.program('k3s', 'echo "connection refused" >&2; exit 1');
    expect(await surveyRacks([rack], { env, signal: new AbortController().signal })).toMatchObject([
      { error: { message: expect.stringContaining('connection refused') } },
    ]);
    expect(await workstation.left()).toEqual([]);
  });
});
