/** Templates of descriptions: `{outlet}` is the outlet, `{outlet-1}` and `{outlet+1}` are the numbers before and after it. */

const places = /\{outlet([+-]1)?\}/g;

export function fillOutlet(template: string, outlet: string): string {
  return template.replaceAll(places, (_all, by?: string) =>
    by === undefined ? outlet : String(Number(outlet) + Number(by)),
  );
}

/** Whether any text in it has a place for the outlet. */
export function namesOutlet(value: unknown): boolean {
  return JSON.stringify(value ?? '').search(places) >= 0;
}
