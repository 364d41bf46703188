/** Containers of one computer have the same paths. */
import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { sweep } from './sweep.ts';
import { inNamespaces, noNamespaces } from './testing/namespaces.ts';

let folder = '';
let botDir = '';

beforeEach(async () => {
  folder = await realpath(await tempDir());
  botDir = join(folder, 's');
  await mkdir(join(botDir, 'w/ir'), { recursive: true });
  await writeFile(join(botDir, 'swarming.lck'), '1');
});

/** Two processes: one with the mark of its bot, one of its task. */
const botOf = (path: string) => `
  cd '${path}/w/ir'
  env -i PATH="$PATH" SKOLO_AGENT_BOT='${path}' sh -c 'cd /; sleep 600 & wait' &
  echo
  SWARMING_HEADLESS=1 exec sleep 600`;
const otherFolder = () => `
  mount -t tmpfs none '${folder}'
  mkdir -p '${botDir}/w/ir'`;

describe.skipIf(noNamespaces)('a sweep', () => {
  it.each(['container', 'mount'] as const)(
    'spares the bot of another agent whose folder has the same path, in another %s',
    async (kind) => {
      await using other = await inNamespaces(kind, `${otherFolder()}\n${botOf(botDir)}`);
      await expect.poll(() => other.pids()).toHaveLength(3);

      expect(await sweep(botDir, undefined)).toEqual({ ended: 0, stuck: [] });

      expect(other.pids()).toHaveLength(3);
    },
  );

  it('does not follow the links of another agent from its own root', async () => {
    const link = join(folder, 'link');
    await symlink(botDir, link);
    const linked = `${otherFolder()}\nln -s '${botDir}' '${link}'`;
    await using other = await inNamespaces('container', `${linked}\n${botOf(link)}`);
    await expect.poll(() => other.pids()).toHaveLength(3);

    expect(await sweep(link, undefined)).toEqual({ ended: 0, stuck: [] });

    expect(other.pids()).toHaveLength(3);
  });

  it('spares what has its folder in another pid namespace: its agent cannot be seen', async () => {
    await using other = await inNamespaces('pid', botOf(botDir));
    await expect.poll(() => other.pids()).toHaveLength(3);

    expect(await sweep(botDir, undefined)).toEqual({ ended: 0, stuck: [] });

    expect(other.pids()).toHaveLength(3);
  });

  it('ends what an earlier container left in the folder, wherever that was mounted', async () => {
    const elsewhere = join(folder, 'elsewhere');
    const bound = `mkdir '${elsewhere}'; mount --bind '${botDir}' '${elsewhere}'`;
    await using earlier = await inNamespaces('mount', `${bound}\n${botOf(elsewhere)}`);
    await expect.poll(() => earlier.pids()).toHaveLength(3);

    expect(await sweep(botDir, undefined)).toEqual({ ended: 3, stuck: [] });

    expect(earlier.pids()).toEqual([]);
  });
});
