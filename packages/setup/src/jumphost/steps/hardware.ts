/**
 * Decides which faults of a jumphost's hardware are reported, which only an operator can repair: a worn disk, a growing database, a rack
 * that stays off after a power cut.
 */
import { parseJson, shellWord } from '@skolo/base';
import type { Rack } from '@skolo/rack';
import { type Check, factsIn, fewOf, type Host, type Step } from '@skolo/setup/engine';
import { z } from 'zod';

const database = '/var/lib/rancher/k3s/server/db/state.db';
/** Percent of a disk's rated life. */
const mostWorn = 90;
/** A jumphost's database stays below 100 MB: kine compacts it. */
const mostMb = 1000;

/** Of `smartctl --json --all`. Source: nvmeprint.cpp and ataprint.cpp of smartmontools 7.3. */
const Smart = z.object({
  smart_status: z.object({ passed: z.boolean() }).optional(),
  /** From version 7.4 on. */
  endurance_used: z.object({ current_percent: z.number() }).optional(),
  nvme_smart_health_information_log: z.object({ percentage_used: z.number() }).optional(),
  ata_smart_attributes: z
    .object({ table: z.array(z.object({ name: z.string(), value: z.number() })) })
    .optional(),
});

/** ATA attributes whose value counts down from 100 as flash wears. For other values, their IDs have different meanings. */
const remainingLife =
  /^(SSD_Life_Left|Percent_Life(time)?_Remain(ing)?|Media_Wearout_Indicator|Wear_Leveling_Count)$/;

/** @param text what smartctl prints */
export function diskWear(text: string): Check {
  const smart = Smart.safeParse(parseJson(text)).data ?? {};
  const { smart_status, nvme_smart_health_information_log: nvme, ata_smart_attributes } = smart;
  const left = ata_smart_attributes?.table.find(({ name }) => remainingLife.test(name))?.value;
  const said = smart.endurance_used?.current_percent ?? nvme?.percentage_used;
  const worn = said ?? (left === undefined ? undefined : 100 - left);
  const note = worn === undefined ? 'disk wear unknown' : `disk ${worn}% worn`;
  const differs = [
    ...(smart_status?.passed === false ? ['the disk fails its SMART health check'] : []),
    ...(worn !== undefined && worn >= mostWorn ? [note] : []),
  ].map((each) => `${each}; replace the jumphost (skolo jumphost replace)`);
  return { differs, note };
}

/** Prints `size=`, `born=` of the database and `now=`. */
const printDatabase = `stat -c 'size=%s
born=%W' ${database} 2>/dev/null; echo "now=$(date +%s)"`;

async function databaseGrowth(host: Host): Promise<Check> {
  const { size = '0', born = '0', now = '0' } = factsIn(await host.need(printDatabase));
  const mb = Number(size) / 1e6;
  const days = (Number(now) - Number(born)) / 86_400;
  if (mb === 0) return { differs: [] };
  const pace = Number(born) > 0 && days >= 1 ? `, ${(mb / days).toFixed(1)} MB a day` : '';
  const note = `k3s database ${mb.toFixed(0)} MB${pace}`;
  return {
    differs: mb > mostMb ? [`${note}; run k3s kubectl get events -A to find out why it grows`] : [],
    note,
  };
}

/** Prints when the last of ten boots started that followed one without a shutdown. */
const printRestart = `for each in 0 -1 -2 -3 -4 -5 -6 -7 -8 -9; do
  journalctl -q -b $((each - 1)) -n 1 > /dev/null 2>&1 || break
  journalctl -q -b $((each - 1)) -n 20 -o cat | grep -q '^Journal stopped' && continue
  journalctl -q -b $each -o short-iso --no-pager | head -n 1 | cut -d ' ' -f 1
  break
done`;

/** It cannot distinguish a power cut from a reset, or detect that somebody pressed a button. */
async function powerReturn(host: Host, { jumphost, equipment }: Rack): Promise<string> {
  const when = (await host.need(printRestart)).trim();
  if (when === '')
    return 'automatic start after a power failure: not observed in the last 10 boots';
  const devices = [...equipment.values()].flatMap(({ name, address }) =>
    address === undefined ? [] : [{ name, address }],
  );
  const silent = await Promise.all(
    devices.map(async ({ name, address }) => {
      const { code } = await host.run(`ping -c 1 -W 2 ${shellWord(address)}`);
      return code === 0 ? [] : [name];
    }),
  );
  const names = silent.flat();
  const others = names.length === 0 ? '' : `; not responding now: ${fewOf(names)}`;
  return `${jumphost.name} restarted without a shutdown at ${when} (power cut or reset)${others}`;
}

async function watchdog(host: Host): Promise<string> {
  const name = (await host.run('cat /sys/class/watchdog/watchdog0/identity')).stdout.trim();
  return name === 'Software Watchdog'
    ? 'watchdog: only softdog, which does not help if the kernel hangs'
    : `watchdog: ${name || 'none'}`;
}

export function hardwareStep(rack: Rack): Step {
  return {
    name: 'hardware',
    about: 'disk, database, and automatic start after a power failure',
    async check(host) {
      const { stdout } = await host.run(
        `disk=$(lsblk -nsro NAME,TYPE "$(findmnt -no SOURCE -T /var/lib)" | awk '$2 == "disk" { print $1; exit }')
smartctl --json --all "/dev/$disk"`,
      );
      const found = [diskWear(stdout), await databaseGrowth(host)];
      const notes = found.flatMap(({ note }) => note ?? []);
      notes.push(await watchdog(host), await powerReturn(host, rack));
      return { differs: found.flatMap(({ differs }) => differs), note: notes.join('; ') };
    },
  };
}
