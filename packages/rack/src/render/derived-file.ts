/** What a derived file is before it is text, and how it becomes text. */
import { Document, isScalar, visit } from 'yaml';
import type { Json, Rack } from '../rack.ts';
import type { ServiceName } from '../service-ports.ts';

/** Objects that a patch is for; kustomize leaves a patch out that nothing fits. */
export interface PatchTarget {
  kind: string;
  name?: string;
  labelSelector?: string;
}

/** A file with Kubernetes objects. */
export interface DerivedFile {
  /** Its name in the folder. */
  name: string;
  /** What it is for: the comment at its beginning. */
  about: string;
  objects: Json[];
  /** How kustomization.yaml takes it: as it is, or as a patch (of one object). */
  use: 'resource' | PatchTarget;
}

/** Something in rack.yaml that does not work on k3s as it stands there. */
export interface RenderWarning {
  /** As in rack.yaml: `services.alert-to-pubsub.credentials`. */
  where: string;
  message: string;
}

/** Where a service runs. */
export function namespaceOf(service: ServiceName): 'skolo' | 'skolo-node' {
  return service === 'metadata-server' || service === 'swarming-client' ? 'skolo-node' : 'skolo';
}

/** What every derived file says about itself somewhere in its first lines; only files with it are ever replaced. */
export const mark = 'Made by `skolo rack render`';

/** The comment that a derived file begins with. */
export function head(rack: Pick<Rack, 'name'>, about: string, comment = '# '): string {
  const lines = [
    `${mark} from the rack.yaml of ${rack.name}; a change of this file is lost.`,
    'To make it again, in the folder of rack.yaml: skolo rack render --rack rack.yaml',
    ...about.split('\n'),
  ];
  return lines.map((line) => `${comment}${line}\n`).join('');
}

/** The objects as YAML, short lists of names and numbers on a line. */
export function yamlText(objects: readonly Json[]): string {
  return objects.map(documentText).join('---\n');
}

function documentText(value: Json): string {
  const document = new Document(value, {
    aliasDuplicateObjects: false,
    // Kubernetes reads YAML 1.1, which takes `yes` or `1:30` for something else than text.
    compat: 'yaml-1.1',
  });
  visit(document, {
    Seq(_, list) {
      list.flow = list.items.every(isScalar) && list.items.join(', ').length <= 80;
    },
    Map(_, map) {
      map.flow = map.items.length === 0;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
