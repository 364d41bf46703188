import { type Document, isMap, isScalar, parseDocument } from 'yaml';

type Path = readonly [string, ...string[]];

/**
 * The text with the value at `path` set to `value`, a number or a plain word or URL. Where there is a value already, nothing else
 * changes, not even a space, and it works in a file with mistakes elsewhere. Otherwise the key is added, which keeps
 * comments but may set spaces anew. Where neither can be done, the text is returned as it is.
 */
export function setValue(text: string, path: Path, value: string | number): string {
  const doc = parseDocument(text);
  if (doc.getIn(path) === value) return text;
  const replaced = replaceInPlace(text, doc, path, value);
  if (replaced !== undefined) return replaced;
  if (doc.errors.length > 0 || !canBeAdded(doc, path)) return text;
  doc.setIn(path, value);
  return doc.toString({ lineWidth: 0 });
}

/** Whether it has an entry of just this name; one with a range is another. */
export function hasMachine(text: string, name: string): boolean {
  return isMap(parseDocument(text).getIn(['machines', name], true));
}

/** The text without the value at `path`. */
export function deleteValue(text: string, path: Path): string {
  const doc = parseDocument(text);
  if (doc.errors.length > 0 || !doc.hasIn(path)) return text;
  doc.deleteIn(path);
  return doc.toString({ lineWidth: 0 });
}

function replaceInPlace(text: string, doc: Document, path: Path, value: string | number) {
  const node = doc.getIn(path, true);
  if (!isScalar(node) || !node.range) return undefined;
  const [from, to] = node.range;
  const changed = text.slice(0, from) + value + text.slice(to);
  // Not where the place was empty, or the value needs quotes there.
  return parseDocument(changed).getIn(path) === value ? changed : undefined;
}

/** Every level above is a map, or not there yet. An empty one is removed, to be made anew. */
function canBeAdded(doc: Document, path: Path): boolean {
  for (let depth = 0; depth < path.length; depth++) {
    const above = path.slice(0, depth);
    const parent = doc.getIn(above, true);
    if (parent === undefined || parent === null) return true;
    if (isScalar(parent) && parent.value === null) return doc.deleteIn(above);
    if (!isMap(parent)) return false;
  }
  return true;
}
