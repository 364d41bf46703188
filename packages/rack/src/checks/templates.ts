/** Checks that a command contains its outlet, because without it, a device might switch all of them. */
import { type Draft, type Report, within } from '../draft/draft.ts';

const templates: Readonly<Record<string, readonly string[]>> = {
  'mqtt-switch': ['command', 'state'],
  'http-switch': ['on', 'off', 'read'],
  'command-switch': ['on', 'off', 'read'],
};

export function checkTemplates(draft: Draft, report: Report): void {
  for (const device of draft.rack.equipment.values()) {
    const keys = Object.hasOwn(templates, device.model) ? (templates[device.model] ?? []) : [];
    for (const key of keys) {
      const template = device.options[key];
      if (device.options.outlets === 1 || JSON.stringify(template ?? '').includes('{outlet}'))
        continue;
      report(
        within(draft, device, key),
        'template',
        'does not contain the outlet; add {outlet}, or set `outlets: 1`',
      );
    }
  }
}
