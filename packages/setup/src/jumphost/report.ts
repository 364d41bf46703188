/** A report on a jumphost for support, without configuration or values that look like secrets. */
import { stripSecrets } from '@skolo/base';
import type { Host, StepProgress } from '@skolo/setup/engine';

/** Each is one part of the report. None prints configuration files. */
const commands: readonly string[] = [
  'uname -srm; grep -h ^PRETTY_NAME= /etc/os-release; uptime',
  'df -h / /var/lib; free -m 2>/dev/null || head -n 3 /proc/meminfo',
  'ip -brief address; ip route',
  'ss -lntup',
  '/usr/bin/node --version; k3s --version',
  'systemctl --failed --no-pager --plain; systemctl list-units --no-pager --plain --all "skolo*" "k3s*" chrony.service ssh.service',
  'chronyc -n tracking',
  'nft list table inet skolo',
  'k3s kubectl get nodes -o wide; k3s kubectl get pods -A -o wide',
  'k3s kubectl get events -A --sort-by=.lastTimestamp | tail -n 40',
  'skolo-fallback status',
  'journalctl -u k3s.service -p warning -n 60 --no-pager -o short-iso',
  'journalctl -u "skolo-*" -p warning -n 60 --no-pager -o short-iso',
  'journalctl -t skolo -n 40 --no-pager -o short-iso',
];

/** Limit for one command, because a log may be long. */
const mostCharacters = 20_000;
const commandMs = 20_000;

/** Markdown. For a missing command or one that does not end, it contains the error. */
export async function reportOf(host: Host, steps: readonly StepProgress[]): Promise<string> {
  const parts = [`# ${host.name}`, section('Steps', steps.map(stepLine).join('\n'))];
  for (const command of commands) {
    const said = await host.run(`(${command}) 2>&1`, { deadlineMs: commandMs }).then(
      ({ stdout }) => stdout,
      (error: Error) => error.message,
    );
    parts.push(section(command, said.slice(-mostCharacters)));
  }
  return stripSecrets(parts.join('\n\n'));
}

function stepLine({ name, state, text }: StepProgress): string {
  return `${name} ${state}${text === '' ? '' : `: ${text}`}`;
}

function section(title: string, text: string): string {
  return `## \`${title}\`\n\n\`\`\`\n${text.trim()}\n\`\`\``;
}
