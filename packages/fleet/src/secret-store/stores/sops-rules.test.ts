import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recipientsFor } from './sops-rules.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skolo-rules-'));
  await mkdir(join(dir, 'kube/sops/rack4'), { recursive: true });
});
afterEach(() => rm(dir, { recursive: true }));

const config = (text: string, folder = '') => writeFile(join(dir, folder, '.sops.yaml'), text);
const of = (name: string) => recipientsFor(join(dir, 'kube/sops', name));

describe('recipients', () => {
  it('are those of the first rule that fits, in the nearest .sops.yaml', async () => {
    await config(`creation_rules:
  - { path_regex: sops/rack4/, age: "age1ann, age1bob," }
  - { path_regex: ^kube/sops/etc/, key_groups: [{ age: [age1ops, age1ops, age1ann] }] }
  - { age: [age1rest] }
`);

    expect(await of('rack4/switch.sops')).toEqual(['age1ann', 'age1bob']);
    expect(await of('etc/k3s-node-token.sops')).toEqual(['age1ops', 'age1ann']);
    expect(await of('rack5/switch.sops')).toEqual(['age1rest']);

    await config('creation_rules: [{ age: age1near }]\n', 'kube/sops');
    expect(await of('rack4/switch.sops')).toEqual(['age1near']);
  });

  it.each([
    ['no file', undefined, 'no .sops.yaml in'],
    [
      'no rule',
      'stores: {}\n',
      'no rule matches kube/sops/rack4/switch.sops; list the age recipients',
    ],
    ['no recipient', 'creation_rules: [{ path_regex: . }]\n', 'does not contain a recipient'],
    ['other keys', 'creation_rules: [{ age: age1ann, pgp: ABCD }]\n', 'keys other than age keys'],
    ['no pattern', 'creation_rules: [{ path_regex: "(", age: age1ann }]\n', 'not a regular expr'],
    ['no YAML', 'creation_rules: [\n', 'not a sops configuration'],
    ['another form', 'creation_rules: 3\n', 'not a sops configuration'],
  ])('are asked for where there is %s', async (_, text, message) => {
    if (text !== undefined) await config(text);

    await expect(of('rack4/switch.sops')).rejects.toMatchObject({
      message: expect.stringContaining(message),
    });
  });
});
