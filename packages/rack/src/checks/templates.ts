/** A command for one outlet names it: without, it would switch whatever the device takes for "all". */
import { type Draft, type Report, within } from '../draft.ts';

const templates: Readonly<Record<string, readonly string[]>> = {
  'mqtt-switch': ['command', 'state'],
  'http-switch': ['on', 'off', 'read'],
  'command-switch': ['on', 'off', 'read'],
};

export function checkTemplates(draft: Draft, report: Report): void {
  for (const device of draft.rack.infrastructure.values()) {
    const keys = Object.hasOwn(templates, device.model) ? (templates[device.model] ?? []) : [];
    for (const key of keys) {
      const template = device.options[key];
      if (device.options.outlets === 1 || JSON.stringify(template ?? '').includes('{outlet}'))
        continue;
      report(
        within(draft, device, key),
        'template',
        'does not say which outlet: put {outlet} in it, or `outlets: 1` beside it',
      );
    }
  }
}
