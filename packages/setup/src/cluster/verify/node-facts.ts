/** Facts about a node, read over SSH. */
import { countsMemory } from '@skolo/setup/debian';
import { factsIn, type Host } from '@skolo/setup/engine';
import { z } from 'zod';

const script = `
unit=none; for each in k3s k3s-agent kubelet; do if systemctl is-active -q "$each"; then unit=$each; fi; done
log() { timeout 20 journalctl -u "$unit" --since '-1 hour' -o cat --no-pager 2>/dev/null; }
cat <<END
time=$(date +%s.%N)
synchronized=$(timedatectl show --value --property=NTPSynchronized 2>/dev/null)
userland=$(dpkg --print-architecture)
swapKib=$(awk 'NR > 1 { sum += $3 } END { print sum + 0 }' /proc/swaps)
cgroupMemory=$(if ${countsMemory}; then echo yes; else echo no; fi)
throttled=$(vcgencmd get_throttled 2>/dev/null | cut -d = -f 2)
celsius=$(awk '{ print $1 / 1000 }' /sys/class/thermal/thermal_zone0/temp 2>/dev/null)
freeMib=$(df -mP /var/lib | awk 'NR == 2 { print $4 }')
usedPercent=$(df -P /var/lib | awk 'NR == 2 { print $5 + 0 }')
unit=$unit
restarts=$(systemctl show --value --property=NRestarts "$unit.service")
tlsTimeouts=$(log | grep -c 'TLS handshake timeout')
notYetValid=$(log | grep -c 'certificate has expired or is not yet valid')
slowDatabase=$(log | grep -cE 'Slow SQL|slow fdatasync|apply request took too long')
END`;

const optionalNumber = z
  .string()
  .transform((text) => (text === '' ? undefined : Number(text)))
  .pipe(z.number().optional());

const Facts = z.object({
  time: z.coerce.number(),
  synchronized: z.string(),
  userland: z.string(),
  swapKib: z.coerce.number(),
  cgroupMemory: z.enum(['yes', 'no']),
  throttled: optionalNumber.pipe(z.int().optional()),
  celsius: optionalNumber,
  freeMib: z.coerce.number(),
  usedPercent: z.coerce.number(),
  unit: z.string(),
  restarts: optionalNumber,
  tlsTimeouts: z.coerce.number(),
  notYetValid: z.coerce.number(),
  slowDatabase: z.coerce.number(),
});

export interface NodeFacts extends z.output<typeof Facts> {
  name: string;
  /** Seconds by which its clock is ahead of this computer's, ± `uncertain`. */
  skew: number;
  uncertain: number;
}

/** @param name of its node @throws ComputerError It cannot be reached. */
export async function factsOf(host: Host, now: () => number, name = host.name): Promise<NodeFacts> {
  const before = now() / 1000;
  const text = await host.need(script, { deadlineMs: 90_000 });
  const after = now() / 1000;
  const facts = Facts.parse(factsIn(text));
  // The script reads the clock first, about when the command arrived.
  const middle = (before + after) / 2;
  return {
    ...facts,
    name,
    skew: facts.time - middle,
    uncertain: (after - before) / 2,
  };
}
