/** Drivers of other authors, which switch the same simulated outlet as a table, and read it where they can. */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { SimulatedDevice } from '@skolo/simulators';
import { lacks, type PeerName, peer } from '@skolo/simulators/peer';
import { expect, type TestContext } from 'vitest';
import type { TableProof } from '../../../generate/tables.ts';
import type { PowerDriver } from '../contract/outlets.ts';
import { stateOf } from './outlets.ts';

const python: Record<string, string> = {
  labgrid: `driver = importlib.import_module(name)
driver.power_set(host, port if is_http else None, plug, verb == 'on')
state = driver.power_get(host, port if is_http else None, plug)`,
  pdudaemon: `module, kind = name.rsplit('.', 1)
driver = getattr(importlib.import_module(module), kind)(host, settings)
getattr(driver, '_port_interaction', driver.port_interaction)(verb, plug)`,
};

/** Expects that ours reads what the other one switches, and that it switches this outlet only. */
export async function expectAgreement(
  context: TestContext,
  agrees: NonNullable<TableProof['agrees']>,
  { device, driver, outlet }: { device: SimulatedDevice; driver: PowerDriver; outlet: string },
  isHttp: boolean,
): Promise<void> {
  const tell = (verb: 'off' | 'on') =>
    tellOther(context, { plug: outlet, ...agrees }, device, verb, isHttp);

  const saidOff = await tell('off');
  const off = await stateOf(driver, outlet);
  const saidOn = await tell('on');

  expect([saidOff, off, saidOn, await stateOf(driver, outlet)]).toEqual(['off', 'off', 'on', 'on']);
  expect(device.board.names().filter((each) => !device.board.isOn(each))).toEqual([]);
}

/**
 * Turns an outlet off or on.
 *
 * @returns the state that the driver then reads, or the one that it was told
 */
async function tellOther(
  context: TestContext,
  { driver, args = [], settings = {}, plug = '' }: NonNullable<TableProof['agrees']>,
  { host, port }: { host: string; port: number },
  verb: 'off' | 'on',
  isHttp: boolean,
): Promise<string> {
  const isFence = driver.startsWith('fence_');
  const [author = ''] = driver.split('.');
  const needs: PeerName[] = isHttp ? [] : ['snmp-tools'];
  if (isFence) needs.push('fence-agents');
  else needs.push('labgrid', author === 'pdudaemon' ? 'pdudaemon' : 'labgrid');
  const why = lacks(...needs);
  if (why !== undefined) return context.skip(why);
  const run = async (file: string, words: readonly string[]) => {
    const PATH = [dirname(peer('snmp-tools') ?? ''), process.env.PATH].join(':');
    const env = { PATH, MIBS: '' };
    const { stdout } = await promisify(execFile)(file, words, { env });
    return (/(on|off)\s*$/i.exec(stdout)?.[1] ?? stdout).toLowerCase();
  };
  if (isFence) {
    const place = ['-a', host, '-u', String(port), '-n', String(plug), '-o', verb];
    const login = ['-c', 'private', '--power-wait', '0'];
    return await run(join(dirname(peer('fence-agents') ?? ''), driver), [
      ...login,
      ...args,
      ...place,
    ]);
  }
  const about = { name: driver, host, port, verb, plug, is_http: isHttp, settings };
  if (!isHttp || author === 'pdudaemon') about.host = `${host}:${port}`;
  const script = `import importlib, json, sys
globals().update(json.loads(sys.argv[1]))
state = None
${python[author] ?? ''}
print(verb if state is None else 'on' if state else 'off')`;
  return await run(peer('labgrid') ?? '', ['-W', 'ignore', '-c', script, JSON.stringify(about)]);
}
