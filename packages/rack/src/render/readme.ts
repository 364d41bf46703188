/** README.md of the derived files: their content, and that of the Secrets. */
import type { Rack } from '../rack/rack.ts';
import { tokenSecrets } from '../secrets/monitoring.ts';
import type { ServiceSecret } from '../secrets/service-secrets.ts';
import { type DerivedFile, head } from './derived-file.ts';

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
      content: madeBy === undefined ? `\`${path}\`` : `\`${path}\`, made by \`${madeBy}\``,
      where: [where],
    })),
  }));
  return [
    `<!--\n${head(rack, '', '').trimEnd()}\n-->`,
    `# Derived files of ${rack.name}`,
    'A kustomize component that passes values of rack.yaml to kube/base. `skolo rack render --check` lists stale files.',
    table(
      ['file', 'content'],
      [
        [
          '`kustomization.yaml`',
          'Lists the other files and creates the ConfigMap `rack-facts`: name and subnet of the rack, and its jumphost.',
        ],
        ...files.map(({ name, about }) => [`\`${name}\``, about.split('\n', 1).join('')]),
      ],
    ),
    '## Secrets',
    'Each service has one Secret with its own name, which contains only the secrets that it reads. `skolo secrets apply` creates them from the secret store of your team, and `skolo secrets status` lists missing ones.',
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
    content: string;
    where: string[];
  }[];
}

function ofService({ service, namespace, files, variables }: ServiceSecret): Section {
  return {
    name: service,
    namespace,
    rows: [
      ...files.map(({ key, path, where }) => ({ key, content: `\`${path}\``, where })),
      ...variables.map(({ name, where }) => ({
        key: name,
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
    `In the namespace \`${namespace}\`.`,
    table(
      ['key', 'content', 'in rack.yaml'],
      rows.map(({ key, content, where }) => [
        `\`${key}\``,
        content,
        where.map((place) => `\`${place}\``).join(', '),
      ]),
    ),
  ];
}

function table(heads: string[], rows: string[][]): string {
  return [heads, heads.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}
