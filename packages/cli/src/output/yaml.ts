import type { Json } from '@skolo/rack';
import { Document, isCollection, isScalar, visit } from 'yaml';

/** YAML of plain data, in the style of a rack.yaml: maps in blocks, lists of scalars on a line. */
export function yamlOf(value: Json): string {
  const document = new Document(value, {
    aliasDuplicateObjects: false,
    // Readers of YAML 1.1 would take `yes` or `1:30` for something else than text.
    compat: 'yaml-1.1',
  });
  visit(document, {
    Seq(_, list) {
      list.flow = list.items.every(isScalar);
    },
    Map(_, map) {
      map.flow = map.items.length === 0;
    },
  });
  if (isCollection(document.contents)) document.contents.flow = false;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}
