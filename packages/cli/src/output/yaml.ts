import type { Json } from '@skolo/rack';
import { Document, isCollection, isScalar, visit } from 'yaml';

/** YAML in the style of rack.yaml: maps as blocks, lists of scalars on one line. */
export function yamlOf(value: Json): string {
  const document = new Document(value, {
    aliasDuplicateObjects: false,
    // YAML 1.1 reads `yes` and `1:30` as other types.
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
