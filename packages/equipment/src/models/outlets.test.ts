/** The outlets of all models with simulated equipment, whatever faults it has. */
import { describe, expect, it } from 'vitest';
import { meetsCliFaults, startCli } from './testing/cli.ts';
import { meetsFaults, rejectsWrongPassword, startDriver as startHttp } from './testing/http.ts';
import { patient } from './testing/outlets.ts';
import type { TriedOutlets } from './testing/proof.ts';
import { proofsWith } from './testing/proofs.ts';
import { startDriver as startSnmp, switchesOutlets } from './testing/snmp.ts';
import { meetsFaults as meetsSnmpFaults, neverSendsOthers } from './testing/snmp-faults.ts';

const cases = proofsWith('outlets').flatMap(({ model, proof }) =>
  proof.outlets.map((tried) => ({ model, tried })),
);

function start(tried: TriedOutlets) {
  if (tried.over === 'cli') return startCli(tried.setup);
  return tried.over === 'http' ? startHttp(tried.setup) : startSnmp(tried.setup);
}

describe.each(cases)('$model over $tried.over', ({ tried }) => {
  const { outlet, others, short } = tried;
  if (tried.over === 'cli') {
    meetsCliFaults(tried.setup, outlet, others);
  } else if (tried.over === 'http') {
    meetsFaults(tried.setup, outlet, others);
    if (tried.setup.login) rejectsWrongPassword(tried.setup, outlet);
  } else {
    switchesOutlets(tried.setup, outlet);
    meetsSnmpFaults(tried.setup, outlet);
    neverSendsOthers(tried.setup, others);
  }

  if (short)
    it('tells a short circuit from nothing plugged in, and only while it is on', async () => {
      const { device, driver } = await start(tried);
      const read = async () => (await driver.read([outlet], patient())).get(outlet);
      device.board.setWatts(outlet, 0);
      const empty = await read();

      device.board.setFaulty(outlet, true);
      const faulty = await read();
      await driver.turnOff(outlet, patient());
      const off = await read();

      expect(empty?.fault).toBeUndefined();
      expect(faulty).toMatchObject({ state: 'on', fault: short, delivering: false });
      expect(off).toMatchObject({ state: 'off' });
      expect(off?.fault).toBeUndefined();
    });
});
