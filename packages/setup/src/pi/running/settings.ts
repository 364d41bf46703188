/** System settings that are the same on all Pis, and the host name. */
import { shellWord } from '@skolo/base';
import { packagesStep } from '@skolo/setup/debian';
import { checkByScript, fileStep, type Host, type Step } from '@skolo/setup/engine';
import { noSwap, swapUnits } from '../boot/no-swap.ts';
import { hostsOf, swapFile, timeFiles, watchdogFile } from '../boot/root-files.ts';
import type { PiSetup } from '../setup.ts';

/** cloud-init writes /etc/hosts from it at every boot, if its user-data enable that. */
const hostsTemplate = '/etc/cloud/templates/hosts.debian.tmpl';

export function hostsStep(setup: PiSetup): Step {
  const wanted = hostsOf(setup);
  const wantedTexts = async (host: Host) => {
    const text = mergedHosts((await host.read('/etc/hosts')) ?? '', wanted);
    const isTemplated = (await host.run(`[ -e ${hostsTemplate} ]`)).code === 0;
    return ['/etc/hosts', ...(isTemplated ? [hostsTemplate] : [])].map((path) => ({ path, text }));
  };
  return {
    name: 'hosts',
    about: '/etc/hosts contains all names in the rack',
    async check(host) {
      const differs = [];
      for (const { path, text } of await wantedTexts(host)) {
        if ((await host.read(path)) !== text)
          differs.push(`${path} is missing names or contains wrong ones`);
      }
      return { differs };
    },
    async apply(host) {
      for (const { path, text: content } of await wantedTexts(host)) {
        await host.write({ path, content });
      }
    },
  };
}

/** Our lines, followed by manually added lines with other names. */
export function mergedHosts(text: string, wanted: string): string {
  const namesIn = (line: string) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1);
  const ours = new Set(wanted.split('\n').flatMap(namesIn));
  const lines = new Set(wanted.split('\n'));
  const others = text.split('\n').filter((line) => {
    return !lines.has(line) && !namesIn(line).some((name) => ours.has(name));
  });
  return [wanted, ...others.map((line) => `${line}\n`)].join('');
}

export function swapStep(): Step {
  return {
    name: 'swap',
    about: 'swap is disabled',
    check: checkByScript(`awk 'NR > 1 { print "swap is enabled on " $1 }' /proc/swaps
for each in ${swapUnits.join(' ')}; do
  [ "$(systemctl is-enabled "$each" 2>/dev/null)" = masked ] || echo "$each may enable swap"
done
grep -q '^[^#].*[[:space:]]swap[[:space:]]' /etc/fstab 2>/dev/null && echo '/etc/fstab contains swap'
[ ! -e /var/swap ] || echo '/var/swap takes disk space'
[ -e ${swapFile.path} ] || echo 'rpi-swap may enable swap'`),
    async apply(host) {
      await host.write(swapFile);
      await host.need(`{\n${noSwap}} > /dev/null 2>&1; true`);
    },
  };
}

export function watchdogStep(): Step {
  return fileStep({
    name: 'watchdog',
    about: 'the Pi reboots 15 s after it hangs',
    files: [watchdogFile],
    activate: 'systemctl daemon-reexec',
  });
}

const timePrograms = 'systemd-timesyncd.service chrony.service ntpsec.service';

/** The installed NTP program; chrony if there is none. */
export function timeStep({ timeServers }: PiSetup): Step {
  const files = fileStep({
    name: 'time',
    about: timeServers.length === 0 ? 'NTP' : `NTP from ${timeServers.join(', ')}`,
    files: timeFiles(timeServers),
    activate: `for each in ${timePrograms}; do
  [ "$(systemctl is-enabled "$each" 2>/dev/null)" != disabled ] || systemctl enable --quiet "$each"
  ! systemctl is-enabled -q "$each" 2>/dev/null || systemctl restart "$each"
done`,
    verify: `systemctl is-active -q ${timePrograms} || echo 'no NTP client is running'`,
  });
  const program = packagesStep(['chrony']);
  return {
    ...files,
    waitsFor: 'an NTP client, which apt installs if it is missing',
    async apply(host) {
      const { stdout } = await host.run(
        `for each in ${timePrograms}; do systemctl cat "$each" > /dev/null 2>&1 && echo "$each"; done`,
      );
      if (stdout.trim() === '') await program.apply?.(host);
      await files.apply?.(host);
    },
  };
}

/** Name servers, in the program that configures them. */
export function dnsStep({ nameServers, domain }: PiSetup): Step {
  const list = nameServers.map(shellWord).join(' ');
  const which = `if systemctl is-active -q systemd-resolved.service; then
  file=/etc/systemd/resolved.conf.d/90-skolo.conf; after='systemctl restart systemd-resolved.service'
  text=$(printf '[Resolve]\\nDNS=%s\\n' ${shellWord(nameServers.join(' '))}${domain === undefined ? '' : `; echo ${shellWord(`Domains=${domain}`)}`})
elif systemctl is-active -q NetworkManager.service; then
  file=/etc/NetworkManager/conf.d/90-skolo-dns.conf; after='systemctl reload NetworkManager.service'
  text=$(printf '[global-dns]\\n${domain === undefined ? '' : `searches=${domain}\\n`}[global-dns-domain-*]\\nservers=%s\\n' ${shellWord(nameServers.join(','))})
else
  file=/etc/resolv.conf after=:
  text=$(${domain === undefined ? ':' : `echo ${shellWord(`search ${domain}`)}`}; printf 'nameserver %s\\n' ${list})
fi`;
  return {
    name: 'dns',
    about: nameServers.join(', '),
    check: checkByScript(
      `${which}\n[ "$(cat "$file" 2>/dev/null)" = "$text" ] || echo "$file differs"`,
    ),
    async apply(host) {
      await host.need(`set -e
${which}
mkdir -p "$(dirname "$file")"
printf '%s\\n' "$text" > "$file.skolo-new"
mv -f "$file.skolo-new" "$file"
$after`);
    },
  };
}
