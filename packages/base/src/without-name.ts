/** Returns a message without the name that it begins with, once or several times, because the name is already shown. */
export function withoutName(text: string, name: string): string {
  let rest = text;
  while (rest.startsWith(`${name}: `)) rest = rest.slice(name.length + 2);
  return rest;
}
