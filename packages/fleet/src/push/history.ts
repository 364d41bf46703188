/** Successful pushes by anybody, from the racks repository. */
import { z } from 'zod';
import { logOf, type Repository } from './repository.ts';

const Pushed = z.object({
  id: z.string(),
  rack: z.string(),
  by: z.string(),
  at: z.string(),
  commit: z.string(),
  /** `metadata-server 2026-11-20T22_40_05Z-ann-295cca0-clean` */
  versions: z.string(),
  why: z.string(),
});
type Pushed = z.infer<typeof Pushed>;

/** Newest first. Only pushes that changed versions have a commit. */
export async function pushesInGit(
  repository: Repository,
  limit: number,
  signal: AbortSignal,
): Promise<Pushed[]> {
  const commits = await logOf(repository, { grep: '^Push: ', limit }, signal);
  return commits.flatMap(({ commit, at, by, text }) => {
    const [subject = '', why = ''] = text.split('\n\n');
    const [, rack, versions] = /^push\(([\w.-]+)\): (.*)$/.exec(subject) ?? [];
    const id = /^Push: (.+)$/m.exec(text)?.[1];
    const { data } = Pushed.safeParse({ id, rack, by, at, commit, versions, why: why.trim() });
    return data ? [data] : [];
  });
}
