import { type Document, isMap, isScalar, parseDocument } from 'yaml';

type Path = readonly [string, ...string[]];

/** A text that is changed value by value. It is parsed again only after a change. */
export class YamlText {
  private doc: Document;
  private written: string;

  constructor(text: string) {
    this.written = text;
    this.doc = parseDocument(text);
  }

  get text(): string {
    return this.written;
  }

  get(path: Path): unknown {
    return this.doc.getIn(path);
  }

  /** The keys of a map; empty if the value is missing or not a map. */
  keysAt(path: Path): string[] {
    const map = this.doc.getIn(path, true);
    return isMap(map) ? map.items.map(({ key }) => String(key)) : [];
  }

  /**
   * Sets a number or a plain word or URL. If a value exists already, nothing else changes, not even a space, and it works in a file with
   * errors elsewhere. Otherwise the key is added, which keeps comments but may change spaces. If neither is possible, the text stays
   * unchanged.
   */
  set(path: Path, value: string | number): void {
    if (this.doc.getIn(path) === value || this.replaceInPlace(path, value)) return;
    if (this.doc.errors.length > 0 || !canBeAdded(this.doc, path)) return;
    this.doc.setIn(path, value);
    this.write();
  }

  delete(path: Path): void {
    if (this.doc.errors.length > 0 || !this.doc.hasIn(path)) return;
    this.doc.deleteIn(path);
    this.write();
  }

  private replaceInPlace(path: Path, value: string | number): boolean {
    const node = this.doc.getIn(path, true);
    if (!isScalar(node) || !node.range) return false;
    const [from, to] = node.range;
    const text = this.written.slice(0, from) + value + this.written.slice(to);
    const doc = parseDocument(text);
    // Not if the value was empty, or the new one requires quotes.
    if (doc.getIn(path) !== value) return false;
    this.written = text;
    this.doc = doc;
    return true;
  }

  private write(): void {
    this.written = this.doc.toString({ lineWidth: 0 });
    this.doc = parseDocument(this.written);
  }
}

/** Every level above is a map or missing. An empty one is removed, to be created again. */
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
