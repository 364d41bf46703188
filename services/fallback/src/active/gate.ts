/** Decides at boot, before the network is up, whether this computer may be the jumphost, and how long it waits for another one. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pause } from '@skolo/base';
import type { Statement } from '@skolo/rack/jumphost';
import { type ActiveOptions, type Own, probe, tellConflict } from './files.ts';
import { joinGroup } from './group.ts';

/** In each round, one a second: a link-local address is usable after two. */
const questions = 6;
const betweenProbesMs = 2000;
/** Between two rounds of questions about a holder of the address. */
export const askHolderEverySeconds = 30;
/** How long to wait for a holder of the address that has shown no evidence: it could keep the address for ever. */
export const holderPatienceSeconds = 300;

/** The hardware address of another computer that has the address; undefined also where nobody can be asked. */
async function probeAddress(
  { root, device, address }: ActiveOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  return await new Promise((resolve) => {
    execFile(join(root, probe), [device, address, 'wait'], { signal }, (error, stdout) =>
      resolve(error?.code === 3 ? stdout.trim() : undefined),
    );
  });
}

/**
 * Waits until nobody else has the address of the jumphost, or its holder is not one. Meanwhile it asks all jumphosts for their statements,
 * even if the address is free, because another one may start at this moment. A holder that keeps the address is reported and asked again.
 *
 * @param print one line, for people
 * @returns the statement of the computer that has replaced this one; undefined: this one may serve
 */
export async function waitForAddress(
  options: ActiveOptions,
  own: Own,
  print: (text: string) => void,
): Promise<Statement | undefined> {
  const group = joinGroup(options, own);
  let second = 0;
  const asking = setInterval(() => {
    second += 1;
    if (second % options.everySeconds < questions) group.say(true);
  }, 1000);
  const over = new AbortController();
  try {
    return await Promise.race([group.higher, untilFree(options, over.signal, print)]);
  } finally {
    over.abort();
    clearInterval(asking);
    group.close();
  }
}

/** Until the address is free, or its holder has shown no evidence for too long: any computer could keep the address for ever. */
async function untilFree(
  options: ActiveOptions,
  signal: AbortSignal,
  print: (text: string) => void,
): Promise<undefined> {
  const { address, rack, everySeconds, patienceSeconds } = options;
  let reportAt = performance.now() + everySeconds * 1000;
  let shownAt: number | undefined;
  for (;;) {
    const mac = await probeAddress(options, signal);
    if (mac === undefined || signal.aborted) return;
    shownAt ??= performance.now();
    if (performance.now() >= reportAt) {
      reportAt += everySeconds * 1000;
      const holder = `${address}: the computer with MAC address ${mac} is using the jumphost's address`;
      const evidence = await tellConflict(options, mac);
      if (evidence !== undefined) shownAt = performance.now();
      if (performance.now() - shownAt >= patienceSeconds * 1000) {
        print(
          `${holder}, without evidence that it is a jumphost of ${rack}. This computer becomes active, and defends the address. Disconnect that computer or change its address`,
        );
        return;
      }
      print(
        evidence === undefined
          ? `${holder}, but has not identified itself as a newer jumphost of ${rack}; disconnect that computer or change its address. This computer becomes active when the address is free, or in ${patienceSeconds} s at the latest`
          : `${holder}, and its ${evidence} proves that it is a jumphost of ${rack}, or relays to one; turn one of the jumphosts off. This computer becomes active when the address is free`,
      );
    }
    await pause(betweenProbesMs, signal).catch(() => undefined);
  }
}
