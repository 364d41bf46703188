import { CommandFailed, type CommandResult, type RunCommand } from '@skolo/base/run-command';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openDevice } from './index.ts';
import { never, startLab } from './testing/lab.ts';

afterEach(() => {
  vi.useRealTimers();
});

const udid = 'f'.repeat(40);
const slow = () => new CommandFailed('timeout', 'ideviceinfo took longer than 20 s');

function result(stdout: string): CommandResult {
  return { status: 0, stdout, stderr: '' };
}

/** An iPhone whose answers the test gives. Only time-outs follow the fake clock. */
async function startLook() {
  const { deps } = await startLab();
  const calls: PromiseWithResolvers<CommandResult>[] = [];
  const run: RunCommand = (file, args) => {
    if (file === 'idevice_id') return Promise.resolve(result(udid));
    if (args.includes('-q')) return Promise.resolve(result('HasBattery: false'));
    const call = Promise.withResolvers<CommandResult>();
    calls.push(call);
    return call.promise;
  };
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const entry = { name: 'device', fullName: 'rpi-1-device', kind: 'ios' } as const;
  const looking = openDevice(entry, { ...deps, run }).read(never);
  const call = async (number: number) => {
    await expect.poll(() => calls.length).toBe(number);
    return calls[number - 1];
  };
  return {
    looking,
    calls,
    call,
    pass: (seconds: number) => vi.advanceTimersByTime(seconds * 1000),
  };
}

describe('a verdict', () => {
  it('takes 30 s of silence, however long a call may take', async () => {
    const { looking, call, pass } = await startLook();
    const first = await call(1);
    pass(20);
    first?.reject(slow());
    await call(2);

    pass(30);

    expect(await looking).toEqual({ state: 'missing', why: 'ideviceinfo took longer than 20 s' });
  });

  it('takes no second call after 30 s', async () => {
    const { looking, calls, call, pass } = await startLook();
    const first = await call(1);
    pass(60);
    first?.reject(slow());

    expect(await looking).toMatchObject({ state: 'missing' });
    expect(calls).toHaveLength(1);
  });

  it('is not that of one slow call', async () => {
    const { looking, call, pass } = await startLook();
    const first = await call(1);
    pass(20);
    first?.reject(slow());
    const second = await call(2);
    second?.resolve(result('ProductType: iPhone12,1\nProductVersion: 14.4.2'));

    expect(await looking).toMatchObject({ state: 'present' });
  });
});
