/** Exports that no other file uses, even those that a file only passes on. Each import is resolved to the file that declares the name. */
import { join } from 'node:path';

/** Text by path. */
type Sources = ReadonlyMap<string, string>;
/** Entries by specifier: `@skolo/equipment/transports/models/load`. */
type Entries = ReadonlyMap<string, string>;

/** `FILE: NAME` of each. */
export function unusedExports(sources: Sources, entries: Entries): string[] {
  const used = usedExports(sources, entries);
  return [...sources].flatMap(([file, text]) =>
    [...declaredIn(text), ...passedOnBy(text).flatMap(({ names = [] }) => [...names.keys()])]
      .map((name) => `${file}: ${name}`)
      .filter((each) => !used.has(each)),
  );
}

function declaredIn(text: string): string[] {
  const declaration =
    /^export (?:async )?(?:function\*?|const|let|(?:abstract )?class|interface|type) (\w+)/gm;
  return [...text.matchAll(declaration)].map(([, name = '']) => name);
}

function usedExports(sources: Sources, entries: Entries): Set<string> {
  const passed = new Map([...sources].map(([file, text]) => [file, passedOnBy(text)]));
  const used = new Set<string>();

  function resolve(file: string, from: string): string {
    return entries.get(from) ?? join(file, '..', from);
  }
  /** An entry that only passes the name on does not use it. */
  function use(file: string, name: string): void {
    used.add(`${file}: ${name}`);
    for (const { names, from } of passed.get(file) ?? []) {
      const original = names === undefined ? name : names.get(name);
      if (original !== undefined) use(resolve(file, from), original);
    }
  }

  for (const [file, text] of sources) {
    for (const [, names = '', from = ''] of text.matchAll(
      /^import [^;']*?\{([^}]*)\} from '([^']+)'/gm,
    )) {
      for (const name of namesIn(names).values()) use(resolve(file, from), name);
    }
    // The names of a whole module: those that are words of this file.
    const whole = /(?:^import \* as \w+ from |\bimport\(\s*)'([^']+)'/gm;
    const modules = [...text.matchAll(whole)].map(([, from = '']) => resolve(file, from));
    const words = modules.length > 0 ? new Set(text.match(/\w+/g)) : [];
    for (const module of modules) for (const word of words) use(module, word);
  }
  return used;
}

interface PassedOn {
  /** The original by the name that is passed on; undefined: all of them. */
  names: ReadonlyMap<string, string> | undefined;
  from: string;
}

function passedOnBy(text: string): PassedOn[] {
  return [...text.matchAll(/^export (?:type )?(?:\*|\{([^}]*)\}) from '([^']+)'/gm)].map(
    ([, names, from = '']) => ({ names: names === undefined ? undefined : namesIn(names), from }),
  );
}

/** `type a, b as c`: the original by its name here. */
function namesIn(names: string): Map<string, string> {
  return new Map(
    [...names.matchAll(/(?:\btype )?(\w+)(?: as (\w+))?/g)].map(([, original = '', name]) => [
      name ?? original,
      original,
    ]),
  );
}
