/** Which build runs is written down, and needs no internet connection to start. */
import { containersOf, type Manifest, workloadsOf } from '../manifest.ts';

/** UTC date and time, user, commit, clean: the tags of our own images, as other tools read them. */
const ownTag = /^\d{4}-\d\d-\d\dT\d\d_\d\d_\d\dZ-[a-z][a-z0-9._]*-[0-9a-f]{7}-clean$/;

/** An image without a registry in its name, with a tag that moves, or one that has to be fetched at each start. */
export function imageProblems(objects: readonly Manifest[]): string[] {
  return workloadsOf(objects).flatMap((workload) =>
    containersOf(workload).flatMap(({ name, image = '', imagePullPolicy }) => {
      const where = `${workload.title}: ${name}:`;
      const problems = tagProblems(image).map(
        (problem) => `${where} ${image || 'no image'} ${problem}`,
      );
      if (imagePullPolicy !== 'IfNotPresent') {
        problems.push(
          `${where} imagePullPolicy is ${imagePullPolicy ?? 'not set'}, not IfNotPresent`,
        );
      }
      return problems;
    }),
  );
}

function tagProblems(image: string): string[] {
  const [, name = '', tag] = /^(.*?)(?::([^/:@]+))?(?:@sha256:[0-9a-f]{64})?$/.exec(image) ?? [];
  const [registry = ''] = name.split('/');
  const problems = [];
  if (!name.includes('/') || !/[.:]/.test(registry)) problems.push('does not name its registry');
  if (tag === undefined) problems.push('has no tag');
  else if (tag === 'latest' || tag === 'unset') problems.push(`has the tag ${tag}`);
  else if (/\/skolo\/[^/]+$/.test(name) && !ownTag.test(tag)) {
    problems.push('has a tag that is not TIME-USER-COMMIT-clean');
  }
  return problems;
}
