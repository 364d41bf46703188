/** What the derived files are, and how the Secrets are made that they name. No value of a secret is in it. */
import type { Rack } from '../rack.ts';
import { type DerivedFile, head } from './derived-file.ts';
import { tokenSecrets } from './monitoring-secrets.ts';
import type { ServiceSecret } from './secrets.ts';

/** README.md of the derived files. */
export function readme(
  rack: Rack,
  files: readonly DerivedFile[],
  secrets: readonly ServiceSecret[],
): string {
  const tokens = tokenSecrets(rack).map(({ name, tokens }) => ({
    name,
    namespace: 'skolo',
    rows: tokens.map(({ key, path, where, madeBy }) => ({
      key,
      path,
      content: madeBy === undefined ? `\`${path}\`` : `\`${path}\`, what \`${madeBy}\` prints`,
      where: [where],
    })),
  }));
  return [
    `<!--\n${head(rack, '', '').trimEnd()}\n-->`,
    `# Derived files of ${rack.name}`,
    'A component of kustomize: what kube/base has to know from rack.yaml. `skolo rack render --check` says whether it is as rack.yaml wants it.',
    table(
      ['file', 'what it is'],
      [
        [
          '`kustomization.yaml`',
          'Lists the others, and makes the ConfigMap `rack-facts`: the name of the rack, its subnet, its jumphost.',
        ],
        ...files.map(({ name, about }) => [`\`${name}\``, about.split('\n', 1).join('')]),
      ],
    ),
    '## Secrets',
    'Each service has one, of its own name, with what rack.yaml says that it reads, and nothing else. The commands are for the folder of rack.yaml, with the files in `secrets/` and the like; leave out the line of a file that you do not have. The files do not belong in git.',
    ...[...secrets.map(ofService), ...tokens].flatMap(section),
    '',
  ].join('\n\n');
}

interface Section {
  /** Of the Secret. */
  name: string;
  namespace: string;
  rows: {
    key: string;
    /** Of the file that holds it, before it is in the Secret. */
    path: string;
    content: string;
    where: string[];
  }[];
}

function ofService({ service, namespace, files, variables }: ServiceSecret): Section {
  return {
    name: service,
    namespace,
    rows: [
      ...files.map((file) => ({ ...file, content: `\`${file.path}\`` })),
      ...variables.map(({ name, where }) => ({
        key: name,
        path: `secrets/${name}`,
        content: `the variable \`${name}\``,
        where,
      })),
    ],
  };
}

function section({ name, namespace, rows }: Section): string[] {
  if (rows.length === 0) return [`### ${name}`, 'None.'];
  return [
    `### ${name}`,
    table(
      ['key', 'content', 'in rack.yaml'],
      rows.map(({ key, content, where }) => [
        `\`${key}\``,
        content,
        where.map((place) => `\`${place}\``).join(', '),
      ]),
    ),
    [
      '```sh',
      `kubectl create secret generic ${name} -n ${namespace} \\`,
      ...rows.map(({ key, path }) => `  ${quoted(`--from-file=${key}=${path}`)} \\`),
      '  --dry-run=client -o yaml | kubectl apply -f -',
      '```',
    ].join('\n'),
  ];
}

function table(heads: string[], rows: string[][]): string {
  return [heads, heads.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

/** For a shell. */
function quoted(word: string): string {
  return /^[\w./=@%+:,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
