/** Image versions, pinned by `images` in a rack's kustomization.yaml, and which tag is the newest. */
import { isMap, isScalar, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { z } from 'zod';
import { FleetError } from '../errors.ts';

const Kustomization = z.looseObject({
  images: z
    .array(
      z.looseObject({
        name: z.string(),
        newName: z.string().optional(),
        newTag: z.string().optional(),
        digest: z.string().optional(),
      }),
    )
    .default([]),
});

/** One of our images in a rack. */
export const Pin = z.object({
  /** In kube/base: `skolo/metadata-server`. */
  name: z.string(),
  /** `registry.example.com/skolo/metadata-server` */
  repository: z.string(),
  tag: z.string(),
  /** `sha256:…`; absent: the tag alone counts. */
  digest: z.string().exactOptional(),
});
export type Pin = z.infer<typeof Pin>;

/**
 * @param file its path, for messages
 * @throws FleetError It does not pin any images.
 */
export function readPins(text: string, file: string): Pin[] {
  const { data, error } = Kustomization.safeParse(parseDocument(text).toJS());
  if (error) throw new FleetError(`${file}: ${z.prettifyError(error)}`);
  return data.images.flatMap(({ name, newName = name, newTag, digest }) =>
    newTag === undefined
      ? []
      : [{ name, repository: newName, tag: newTag, ...(digest !== undefined && { digest }) }],
  );
}

/** Writes tags and digests of these images into the text, without changing any other character. */
export function withPins(text: string, pins: readonly Pin[]): string {
  const images = parseDocument(text).get('images');
  if (!isSeq(images)) return text;
  let edited = text;
  // From the end, so that earlier offsets stay valid.
  for (const entry of images.items.toReversed()) {
    if (!isMap(entry)) continue;
    const pin = pins.find(({ name }) => name === entry.get('name'));
    if (pin) edited = withPin(edited, entry, pin);
  }
  return edited;
}

function withPin(text: string, entry: YAMLMap, { tag, digest }: Pin): string {
  const newTag = placeOf(entry, 'newTag');
  const old = placeOf(entry, 'digest');
  if (newTag === undefined) return text;
  const { column } = newTag;
  const before = entry.flow ? ', ' : `\n${' '.repeat(column(text))}`;
  const edits = [
    { start: newTag.value, end: newTag.end, by: tag },
    ...(old && digest !== undefined ? [{ start: old.value, end: old.end, by: digest }] : []),
    // With what separates it from the key before.
    ...(old && digest === undefined
      ? [{ start: separatorBefore(text, old.key), end: old.end, by: '' }]
      : []),
    ...(!old && digest !== undefined
      ? [{ start: newTag.end, end: newTag.end, by: `${before}digest: ${digest}` }]
      : []),
  ];
  return edits
    .sort((a, b) => b.start - a.start || b.end - a.end)
    .reduce((all, { start, end, by }) => all.slice(0, start) + by + all.slice(end), text);
}

/** Offsets of a key, and of its value. */
function placeOf(entry: YAMLMap, name: string) {
  const pair = entry.items.find(({ key }) => isScalar(key) && key.value === name);
  if (!pair || !isScalar(pair.key) || !isScalar(pair.value)) return undefined;
  const [key] = pair.key.range ?? [0];
  const [value, end] = pair.value.range ?? [0, 0];
  return { key, value, end, column: (text: string) => key - (text.lastIndexOf('\n', key) + 1) };
}

function separatorBefore(text: string, offset: number): number {
  return text.slice(0, offset).search(/[\s,]*$/);
}

const ours = 'skolo/';
const canary = '-canary';

/**
 * The images of services; `swarming-client` includes its image on the canary shelf.
 *
 * @param services empty: all
 * @throws FleetError The rack does not use an image of that name.
 */
export function pinsOf(pins: readonly Pin[], services: readonly string[], rack: string): Pin[] {
  const own = pins.filter(({ name }) => name.startsWith(ours));
  if (services.length === 0) return own;
  return services.flatMap((service) => {
    const found = own.filter(({ name }) =>
      [`${ours}${service}`, `${ours}${service}${canary}`].includes(name),
    );
    if (found.length > 0) return found;
    const names = own.map(({ name }) => name.slice(ours.length)).join(', ');
    throw new FleetError(
      `${service}: ${rack} does not use an image with this name; its images are ${names}`,
    );
  });
}

/** Built from a tree with uncommitted changes, so its content is unknown. */
export function isDirty(tag: string): boolean {
  return tag.endsWith('-dirty');
}

/** UTC time, user, commit, `clean`: `2026-11-20T22_40_05Z-ann-295cca0-clean`. */
const cleanTag = /^\d{4}-\d\d-\d\dT\d\d_\d\d_\d\dZ-[\w.-]+-[0-9a-f]{7,40}-clean$/;

export function newestTag(tags: readonly string[]): string | undefined {
  return tags
    .filter((tag) => cleanTag.test(tag))
    .sort()
    .at(-1);
}
