/** Derived files, as data and as text. */
import { Document, isScalar, visit } from 'yaml';
import type { Json, Rack } from '../rack/rack.ts';

/** Objects of a patch; kustomize skips a patch without a match. */
interface PatchTarget {
  kind: string;
  name?: string;
  labelSelector?: string;
}

/** A file with Kubernetes objects. */
export interface DerivedFile {
  /** File name. */
  name: string;
  /** The comment at its beginning. */
  about: string;
  objects: Json[];
  /** Entry in kustomization.yaml: a resource, or a patch of one object. */
  use: 'resource' | PatchTarget;
}

/** A patch of the pods of a workload. */
export function podPatch(name: string, spec: { [key: string]: Json }, kind = 'Deployment'): Json {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: { template: { spec } },
  };
}

/** A setting of rack.yaml that does not work on k3s. */
export interface RenderWarning {
  /** As in rack.yaml: `services.alert-to-pubsub.credentials`. */
  where: string;
  message: string;
}

/** In the first lines of every derived file; only files with it are replaced. */
export const mark = 'Made by `skolo rack render`';

/** The comment at the beginning of a derived file. */
export function head(rack: Pick<Rack, 'name'>, about: string, comment = '# '): string {
  const lines = [
    `${mark} from the rack.yaml of ${rack.name}. Do not edit.`,
    'To update it, in the folder of rack.yaml: skolo rack render --rack rack.yaml',
    ...about.split('\n'),
  ];
  return lines.map((line) => `${comment}${line}\n`).join('');
}

/** YAML with short lists on one line. */
export function yamlText(objects: readonly Json[]): string {
  return objects.map(documentText).join('---\n');
}

function documentText(value: Json): string {
  const document = new Document(value, {
    aliasDuplicateObjects: false,
    // Kubernetes reads YAML 1.1, where `yes` and `1:30` are not text.
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
