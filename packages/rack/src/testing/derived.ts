/** Derived files as the objects that are in them, for tests. */
import { parseAllDocuments } from 'yaml';
import type { Rack } from '../rack/rack.ts';
import { renderDerived } from '../render/render.ts';

/** The objects of one derived file; undefined where there is no such file. */
export function derivedObjects(rack: Rack, name: string): unknown[] | undefined {
  const text = renderDerived(rack).files.get(name);
  return text === undefined ? undefined : objectsOf(text);
}

/** The objects of a file of YAML. Throws where it is none. */
export function objectsOf(text: string): unknown[] {
  return parseAllDocuments(text, { version: '1.1' }).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS();
  });
}
