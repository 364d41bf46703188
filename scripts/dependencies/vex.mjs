/** Reads statements about vulnerabilities that do not affect skolo. Source: OpenVEX 0.2.0, https://github.com/openvex/spec */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const Component = z.looseObject({
  '@id': z.string().optional(),
  identifiers: z.looseObject({ purl: z.string().optional() }).optional(),
});
const Statement = z
  .looseObject({
    vulnerability: z.looseObject({ name: z.string(), aliases: z.array(z.string()).default([]) }),
    products: z
      .array(Component.extend({ subcomponents: z.array(Component).default([]) }))
      .default([]),
    status: z.enum(['not_affected', 'affected', 'fixed', 'under_investigation']),
    justification: z
      .enum([
        'component_not_present',
        'vulnerable_code_not_present',
        'vulnerable_code_not_in_execute_path',
        'vulnerable_code_cannot_be_controlled_by_adversary',
        'inline_mitigations_already_exist',
      ])
      .optional(),
    impact_statement: z.string().optional(),
  })
  .refine(
    ({ status, justification, impact_statement: impact }) =>
      status !== 'not_affected' || justification !== undefined || impact !== undefined,
    'not_affected requires a justification or an impact_statement',
  );
const Document = z.looseObject({
  '@context': z.string().startsWith('https://openvex.dev/ns'),
  statements: z.array(Statement).min(1),
});

/** @typedef {z.output<typeof Statement>} Statement */

/**
 * @param {string} file without it, there are no statements
 * @returns {Statement[]}
 * @throws {Error} it is not in OpenVEX's form
 */
export function statementsIn(file) {
  if (!existsSync(file)) return [];
  const parsed = Document.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  return parsed.data.statements;
}

/**
 * Why a vulnerability of a package does not affect skolo. The last statement about it counts, because each overrides earlier ones.
 *
 * @param {Statement[]} statements
 * @param {{ ids: string[], purl: string }} finding
 */
export function whyNotAffected(statements, { ids, purl }) {
  const last = statements.findLast(
    ({ vulnerability: { name, aliases }, products }) =>
      [name, ...aliases].some((each) => ids.includes(each)) &&
      products
        .flatMap((product) => [product, ...product.subcomponents])
        .some((each) => each['@id'] === purl || each.identifiers?.purl === purl),
  );
  if (last?.status !== 'not_affected') return undefined;
  return last.impact_statement ?? last.justification;
}
