/** Checks settings of alert-to-pubsub against each other. */
import type { Report } from '../draft/draft.ts';
import type { ServicesSettings } from '../schema/settings/settings.ts';
import { checkRequest } from './requests.ts';

type Alerts = ServicesSettings['alert-to-pubsub'];

export function checkAlerts({ sinks, auth, fields }: Alerts, report: Report): void {
  const path = ['services', 'alert-to-pubsub'];
  const names = new Set(['pubsub']);
  const files = new Set<string>();
  sinks.forEach((sink, i) => {
    const at = [...path, 'sinks', i];
    const { name } = sink;
    const message = `"${name}" is already used, but each sink requires a unique name`;
    if (names.has(name)) report([...at, 'name'], 'twice', message);
    names.add(name);
    if (sink.kind === 'http') checkRequest(sink, at, report);
    else {
      const shared = `${sink.file} is already used, but each sink requires its own file`;
      if (files.has(sink.file)) report([...at, 'file'], 'twice', shared);
      files.add(sink.file);
    }
  });
  if ((auth.username === undefined) !== (auth.password === undefined)) {
    report([...path, 'auth'], 'auth', 'set both `username` and `password`');
  }
  const used = new Map<string, string>();
  for (const [what, field] of Object.entries(fields)) {
    const other = used.get(field);
    const message = `"${field}" is also the name of ${other}; choose another name`;
    if (other !== undefined) report([...path, 'fields', what], 'twice', message);
    used.set(field, what);
  }
}
