/** README.md of the derived files: their content, and commands for their Secrets. */
import type { Rack } from '../rack.ts';
import { type DerivedFile, head } from './derived-file.ts';
import { tokenSecrets } from './monitoring-secrets.ts';
import type { ServiceSecret } from './secrets.ts';

/** Contains no value of a secret. */
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
      content: madeBy === undefined ? `\`${path}\`` : `\`${path}\`, output of \`${madeBy}\``,
      where: [where],
    })),
  }));
  return [
    `<!--\n${head(rack, '', '').trimEnd()}\n-->`,
    `# Derived files of ${rack.name}`,
    'A kustomize component with facts of rack.yaml for kube/base. `skolo rack render --check` lists stale files.',
    table(
      ['file', 'content'],
      [
        [
          '`kustomization.yaml`',
          'Lists the other files and makes the ConfigMap `rack-facts`: name and subnet of the rack, and its jumphost.',
        ],
        ...files.map(({ name, about }) => [`\`${name}\``, about.split('\n', 1).join('')]),
      ],
    ),
    '## Secrets',
    'Each service has one Secret of its own name, with only the secrets that it reads. Run the commands in the folder of rack.yaml, which has the files. Leave out lines of missing files. The files must not be in git.',
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
    /** File with the value. */
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
  if (rows.length === 0) return [`### ${name}`, 'No secrets.'];
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

/** Quoted for a shell. */
function quoted(word: string): string {
  return /^[\w./=@%+:,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
