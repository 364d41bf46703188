/** Shortens a list of names: `a, b, c and 9 more`. */
export function listed(names: readonly string[], most: number): string {
  const rest = names.length - most;
  return rest > 1 ? `${names.slice(0, most).join(', ')} and ${rest} more` : names.join(', ');
}
