/** Writes /etc/rancher/k3s/config.yaml: the keys that skolo sets, next to those that an operator has set. */
import { isDeepStrictEqual } from 'node:util';
import { ComputerError, type Host, linesOf, pendingMark, type Step } from '@skolo/setup/engine';
import { Document, isMap, parseDocument } from 'yaml';
import { type Role, startMs, units } from './unit.ts';

export const config = '/etc/rancher/k3s/config.yaml';

interface ConfigStep {
  /** As text: the purpose of these settings. */
  about: string;
  role: Role;
  /** Required keys, and lists that must contain these values. */
  settings(host: Host): Promise<Record<string, unknown>>;
}

/** The step of these settings. Other keys and comments in the file stay. k3s loads it again after a change. */
export function configStep({ about, role, settings }: ConfigStep): Step {
  const name = 'k3s-config';
  const pending = pendingMark(name);
  const unit = units[role];
  const merged = async (host: Host) =>
    mergeConfig(host.name, (await host.read(config)) ?? '', await settings(host));
  return {
    name,
    about: `${config}: ${about}`,
    async check(host) {
      const { differs } = await merged(host);
      const { stdout } = await host.run(
        `[ -e ${pending.path} ] && echo 'k3s has not loaded its new settings yet'`,
      );
      return { differs: [...differs, ...linesOf(stdout)] };
    },
    async apply(host) {
      const { text } = await merged(host);
      await host.need(pending.set);
      await host.write({ path: config, content: text, mode: 0o600 });
      // Pods continue without it.
      await host.need(
        `case $(systemctl is-active ${unit}) in active | activating) systemctl restart ${unit} ;; esac && ${pending.clear}`,
        { deadlineMs: startMs },
      );
    },
  };
}

/** The file with these keys, and those that it was missing. @throws ComputerError It is not a YAML map. */
export function mergeConfig(host: string, text: string, wanted: Record<string, unknown>) {
  const document = text.trim() === '' ? new Document({}) : parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) {
    throw new ComputerError(`${host}: ${config} is not a valid YAML map; fix this file`);
  }
  const differs: string[] = [];
  const before = document.toJS() as Record<string, unknown>;
  for (const [key, value] of Object.entries(wanted)) {
    const has = before[key];
    const given = Array.isArray(value) ? [...new Set([...asList(has), ...value])] : value;
    if (isDeepStrictEqual(Array.isArray(value) ? asList(has) : has, given)) continue;
    differs.push(`${config}: ${key} ${has === undefined ? 'is missing' : 'differs'}`);
    document.set(key, given);
  }
  return { differs, text: document.toString() };
}

function asList(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
