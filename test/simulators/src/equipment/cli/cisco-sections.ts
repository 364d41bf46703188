/** Statements of a Cisco switch's configuration, and the sections that they lead to. */
import type { CiscoState } from './cisco.ts';

/** For the log of what it was told. */
export function withoutSecret(line: string): string {
  return line.replace(
    /\b(password|secret|key|community|key-string|md5)((?: \d)?) (?:".*"|\S+)/g,
    '$1$2 <secret>',
  );
}

/** Any other statement, and what that leads to. */
export function enterLine(state: CiscoState, line: string): string {
  const { device, terminal } = state;
  if (device.denied.some((start) => line.trim().startsWith(start))) {
    return 'Command authorization failed.\n\n';
  }
  const { settings } = device;
  terminal.session.act(() => {
    settings.lines.running.enter(line);
    settings.changed(terminal.session.user);
  });
  goToSection(state);
  return '';
}

export function goToSection(state: CiscoState): void {
  const { sections } = state.device.settings.lines.running;
  const [, name = ''] = /^interface (\S+)$/.exec(sections.at(-1) ?? '') ?? [];
  const port = state.device.poe.find(name);
  const mode = sections.length === 0 ? 'config' : port ? 'interface' : 'section';
  Object.assign(state, { mode, ...(port && { port }) });
}

/** Out of the innermost section. */
export function leaveSection(state: CiscoState): string {
  state.device.settings.lines.running.enter('exit');
  goToSection(state);
  return '';
}
