/** Images that are carried through a real sshd into a real containerd, from a real registry. k3s itself is a script. */
import {
  type Containerd,
  type ContainerRegistry,
  lacks,
  peer,
  startContainerd,
  startContainerRegistry,
} from '@skolo/simulators';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startWorkstation, type Workstation } from '../testing/workstation.ts';
import { openJumphost } from '../way/open-jumphost.ts';
import type { Jumphost } from '../way/way.ts';
import { carryImages } from './carry-images.ts';

const program = peer('containerd');
const registryProgram = peer('docker-registry');
const both = ['linux/amd64', 'linux/arm64'];

describe.skipIf(lacks('containerd', 'docker-registry', 'sshd', 'ssh'))(
  'a rack without an internet connection',
  () => {
    let registry: ContainerRegistry;
    let containerd: Containerd;
    let workstation: Workstation;
    let jumphost: Jumphost & { close(): Promise<void> };
    let lines: string[] = [];
    let images = 0;

    beforeAll(async () => {
      [registry, containerd, workstation] = await Promise.all([
        startContainerRegistry(registryProgram ?? ''),
        startContainerd(program ?? ''),
        startWorkstation(),
      ]);
      const { env, rack } = workstation;
      await workstation.jumphost.program('k3s', `shift; exec ${containerd.ctr} "$@"`);
      const { signal } = new AbortController();
      jumphost = await openJumphost(rack, { env, signal, mayAsk: false });
    });
    beforeEach(() => {
      lines = [];
    });
    afterAll(async () => {
      await jumphost?.close();
      await workstation?.close();
      await containerd?.close();
      await registry?.close();
    });

    /** An image that the rack does not have, with its name as a kubelet has it. */
    async function newImage(kind?: 'image') {
      images += 1;
      const repository = `skolo/service-${images}`;
      const content = `${images}`.repeat(400_000);
      const digest = await registry.push(repository, 'one', content, kind);
      const name = `${registry.host}/${repository}`;
      return { image: `${name}:one@${digest}`, name: `${name}@${digest}`, digest };
    }

    const carry = (image: string, platforms = both) =>
      carryImages([{ image, platforms }], {
        name: 'rack4',
        jumphost,
        patienceMs: 20_000,
        signal: new AbortController().signal,
        report: (text) => lines.push(text),
      });

    /** Instead of a program of the jumphost, until the test ends. */
    async function replace(name: string, script: string) {
      await workstation.jumphost.program(name, script);
    }
    const real = (name: string) => replace(name, `exec /usr/bin/${name} "$@"`);

    const commands = async (text: string) =>
      (await workstation.jumphost.commands()).filter((line) => line.includes(text));

    it('gets an image for all platforms, under the name that a kubelet asks for', async () => {
      const { image, name, digest } = await newImage();

      await carry(image);

      expect(lines).toEqual(['copying 1 image, 2 MB, over SSH']);
      const [, line = ''] = await containerd.ask('images', 'ls', `name==${name}`);
      expect(line).toContain(digest);
      expect(line).toContain('linux/amd64,linux/arm64');
      expect(await containerd.ask('images', 'check', `name==${name}`)).toEqual([
        expect.any(String),
        expect.stringContaining('complete (2/2)'),
      ]);
      // Its garbage collector keeps what is referenced.
      await containerd.ask('images', 'tag', name, 'a.example/b:1');
      await containerd.ask('images', 'rm', '--sync', 'a.example/b:1');
      const again = await commands('dd of=');
      await carry(image);
      expect(await commands('dd of=')).toEqual(again);
      expect(await jumphost.onJumphost('ls ~/.cache', new AbortController().signal)).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      });
    });

    it('gets one platform alone where no other machine runs the image', async () => {
      const { image, name } = await newImage();

      await carry(image, ['linux/arm64']);

      expect(lines).toEqual(['copying 1 image, 1 MB, over SSH']);
      const [, line = ''] = await containerd.ask('images', 'ls', `name==${name}`);
      expect(line).toContain('linux/arm64');
    });

    it('gets an image that is for one platform, by its tag', async () => {
      const { image, digest } = await newImage('image');
      const tagged = image.replace(`@${digest}`, '');

      await carry(tagged, ['linux/amd64']);

      expect(await containerd.ask('images', 'ls', '-q')).toContain(tagged);
    });

    it('gets the rest of what was interrupted, and not all of it again', async () => {
      const { image, name } = await newImage('image');
      const before = (await commands('dd of=')).length;
      await replace(
        'dd',
        `[ -e ~/cut ] && exit 1
head -c 300000 | /usr/bin/dd "$@"; [ -z "$(head -c 1)" ] || { touch ~/cut; kill -9 $PPID; }`,
      );

      await expect(carry(image)).rejects.toThrow('copying images to the jumphost failed');
      await real('dd');
      await carry(image);

      expect(await containerd.ask('images', 'ls', '-q')).toContain(name);
      const seeks = (await commands('dd of=')).slice(before).join('\n');
      expect(seeks).toContain('seek=300000 ');
    });

    it('rejects what was damaged on its way, and gets it whole the next time', async () => {
      const { image, name } = await newImage('image');
      await replace('dd', `tr 0-9 x | /usr/bin/dd "$@"`);

      await expect(carry(image)).rejects.toThrow('was damaged in transit and deleted');
      expect(await containerd.ask('images', 'ls', '-q')).not.toContain(name);
      await real('dd');
      await carry(image);

      expect(await containerd.ask('images', 'ls', '-q')).toContain(name);
    });

    it('gets nothing where its disk is too small', async () => {
      const { image } = await newImage();
      const before = (await commands('dd of=')).length;
      await replace(
        'df',
        `echo Filesystem 1024-blocks Used Available Capacity Mounted on; echo /dev/sda1 9 9 6000 9% /`,
      );

      await expect(carry(image)).rejects.toThrow(
        'rack4: the jumphost has 7 MB free on /, but the new images require 7 MB; run sudo k3s crictl rmi --prune',
      );

      expect(await commands('dd of=')).toHaveLength(before);
      await real('df');
    });

    it('says what containerd says', async () => {
      const { image } = await newImage('image');
      await replace('sudo', 'echo "sudo: a password is required" >&2; exit 1');

      await expect(carry(image)).rejects.toThrow('sudo: a password is required');

      await replace('sudo', '[ "$1" = -n ] && shift\nexec "$@"');
    });
  },
);
