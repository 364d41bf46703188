declare const brand: unique symbol;

/** Text for people, such as why machines are silent. It has no string methods: what a program must know is in fields of its own. */
export interface Words {
  readonly [brand]: 'words';
}

export function words(text: string): Words {
  // The brand exists only for the compiler.
  return text as unknown as Words;
}
